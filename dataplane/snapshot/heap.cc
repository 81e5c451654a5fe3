#include "dataplane/snapshot/heap.h"

#include <bit>
#include <cstring>

#include "dataplane/base/check.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kExactClasses = 64;

struct SizeClass {
  std::size_t index;
  std::size_t units;  // of its blocks
};

// Up to 64 units a class each, then eight steps per doubling: at most an eighth is wasted.
SizeClass class_of(std::size_t bytes) {
  const std::size_t units = bytes <= kHeapUnit ? 1 : (bytes + kHeapUnit - 1) / kHeapUnit;
  if (units <= kExactClasses) return {units - 1, units};
  const auto doubling = static_cast<std::size_t>(std::bit_width(units - 1)) - 1;  // at least 6
  const std::size_t step = std::size_t{1} << (doubling - 3);
  const std::size_t steps = (units - (std::size_t{1} << doubling) + step - 1) / step;  // 1..8
  return {kExactClasses + (doubling - 6) * 8 + steps - 1,
          (std::size_t{1} << doubling) + steps * step};
}

}  // namespace

std::size_t Heap::block_bytes(std::size_t bytes) {
  return class_of(bytes).units * kHeapUnit;
}

HeapRef Heap::allocate(std::size_t bytes) {
  const SizeClass size = class_of(bytes);
  CHECK(size.index < kClasses);
  if (const HeapRef ref = free_[size.index]; ref != 0) {
    std::memcpy(&free_[size.index], at(ref), sizeof(HeapRef));
    free_units_ -= size.units;
    return ref;
  }
  const std::size_t end = used_units_ + size.units;
  if (end > 0xffffffffU || !region_.grow(end * kHeapUnit + kHeapTail)) return 0;
  const auto ref = static_cast<HeapRef>(used_units_);
  used_units_ = end;
  return ref;
}

void Heap::free(HeapRef ref, std::size_t bytes) {
  const SizeClass size = class_of(bytes);
  CHECK(ref != 0 && ref + size.units <= used_units_);
  std::memcpy(at(ref), &free_[size.index], sizeof(HeapRef));
  free_[size.index] = ref;
  free_units_ += size.units;
}

}  // namespace brink::snapshot
