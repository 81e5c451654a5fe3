#include "dataplane/base/arena.h"

#include <bit>

#include "dataplane/base/check.h"

namespace brink::base {

// OFFSET  SIZE  MEANING
//      0     8  the block before this one in memory, null for the first
//      8     4  bytes of memory behind the header, a multiple of 16; 0 for the mark at the end
//     12     4  1 when free
//     16     8  when free: the next block of its list
//     24     8  when free: the one before it in its list
struct Arena::Block {
  Block* before;
  std::uint32_t size;
  std::uint32_t is_free;
  Block* next;
  Block* previous;

  std::byte* memory() noexcept;
  Block* behind() noexcept;
};

namespace {

constexpr std::size_t kHeader = 16;
constexpr std::size_t kGrain = 16;
constexpr std::size_t kSizeMin = 16;  // two list pointers

}  // namespace

std::byte* Arena::Block::memory() noexcept {
  return reinterpret_cast<std::byte*>(this) + kHeader;
}

Arena::Block* Arena::Block::behind() noexcept {
  return reinterpret_cast<Block*>(memory() + size);
}

Arena::Arena(std::span<std::byte> memory) noexcept {
  static_assert(offsetof(Block, next) == kHeader);
  CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % kGrain == 0);
  CHECK(memory.size() >= 2 * kHeader + kSizeMin && memory.size() <= UINT32_MAX);
  const std::size_t usable = memory.size() / kGrain * kGrain;
  capacity_ = usable - 2 * kHeader;
  auto* const first = reinterpret_cast<Block*>(memory.data());
  first->before = nullptr;
  first->size = static_cast<std::uint32_t>(capacity_);
  Block* const mark = first->behind();  // only its header is inside the memory
  mark->before = first;
  mark->size = 0;
  mark->is_free = 0;
  insert(first);
}

Arena::Place Arena::place_of(std::size_t size) noexcept {
  const auto power = static_cast<unsigned>(std::bit_width(size)) - 1;
  return {power, static_cast<unsigned>(size >> (power - kStepBits)) & (kSteps - 1)};
}

void Arena::insert(Block* block) noexcept {
  const Place at = place_of(block->size);
  Block*& head = free_[at.power][at.step];
  block->is_free = 1;
  block->previous = nullptr;
  block->next = head;
  if (head != nullptr) head->previous = block;
  head = block;
  powers_ |= 1U << at.power;
  steps_[at.power] |= 1U << at.step;
}

void Arena::remove(Block* block) noexcept {
  const Place at = place_of(block->size);
  Block*& head = free_[at.power][at.step];
  if (block->next != nullptr) block->next->previous = block->previous;
  (block->previous != nullptr ? block->previous->next : head) = block->next;
  block->is_free = 0;
  if (head != nullptr) return;
  steps_[at.power] &= ~(1U << at.step);
  if (steps_[at.power] == 0) powers_ &= ~(1U << at.power);
}

// The first block of a list whose blocks all hold `size`: no list is searched.
Arena::Block* Arena::find(std::size_t size) noexcept {
  const auto power = static_cast<unsigned>(std::bit_width(size)) - 1;
  const Place from = place_of(size + (std::size_t{1} << (power - kStepBits)) - 1);
  const std::uint32_t steps = steps_[from.power] & (~0U << from.step);
  if (steps != 0) return free_[from.power][static_cast<unsigned>(std::countr_zero(steps))];
  const std::uint32_t powers = from.power + 1 < kPowers ? powers_ & (~0U << (from.power + 1)) : 0;
  if (powers == 0) return nullptr;
  const auto larger = static_cast<unsigned>(std::countr_zero(powers));
  return free_[larger][static_cast<unsigned>(std::countr_zero(steps_[larger]))];
}

void* Arena::allocate(std::size_t size) noexcept {
  if (size > capacity_) return nullptr;
  size = size < kSizeMin ? kSizeMin : (size + kGrain - 1) / kGrain * kGrain;
  Block* const block = find(size);
  if (block == nullptr) return nullptr;
  remove(block);
  if (block->size >= size + kHeader + kSizeMin) {
    Block* const behind = block->behind();
    auto* const rest = reinterpret_cast<Block*>(block->memory() + size);
    rest->before = block;
    rest->size = static_cast<std::uint32_t>(block->size - size - kHeader);
    behind->before = rest;
    block->size = static_cast<std::uint32_t>(size);
    insert(rest);
  }
  used_ += block->size + kHeader;
  if (used_ > peak_) peak_ = used_;
  ++allocations_;
  return block->memory();
}

void Arena::release(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* block = reinterpret_cast<Block*>(static_cast<std::byte*>(memory) - kHeader);
  CHECK(block->is_free == 0 && block->size != 0);
  used_ -= block->size + kHeader;
  Block* const behind = block->behind();
  if (behind->is_free != 0) {
    remove(behind);
    block->size += static_cast<std::uint32_t>(kHeader + behind->size);
  }
  if (block->before != nullptr && block->before->is_free != 0) {
    Block* const before = block->before;
    remove(before);
    before->size += static_cast<std::uint32_t>(kHeader + block->size);
    block = before;
  }
  block->behind()->before = block;
  insert(block);
}

std::size_t Arena::size_of(const void* memory) noexcept {
  return reinterpret_cast<const Block*>(static_cast<const std::byte*>(memory) - kHeader)->size;
}

}  // namespace brink::base
