// Made at start: this file may allocate.
#include "l7/compress/pool.h"

#include <new>
#include <type_traits>

namespace brink::l7::compress {
namespace {

constexpr std::size_t kAlignment = 64;

constexpr std::size_t round_up(std::size_t bytes) noexcept {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::size_t bytes_of(const PoolSizes& sizes) noexcept {
  return sizes.gzip_encoders * round_up(GzipEncoder::kMemoryBytes) +
         sizes.br_encoders * round_up(BrEncoder::kMemoryBytes) +
         sizes.zstd_encoders * round_up(ZstdEncoder::kMemoryBytes) +
         sizes.gzip_decoders * round_up(GzipDecoder::kMemoryBytes) +
         sizes.br_decoders * round_up(BrDecoder::kMemoryBytes) +
         (sizes.gzip_decoders + sizes.br_decoders) * round_up(kBetweenBytes);
}

}  // namespace

void Pool::FreeAligned::operator()(std::byte* memory) const noexcept {
  ::operator delete (memory, std::align_val_t{kAlignment});
}

std::span<std::byte> Pool::cut(std::size_t bytes) noexcept {
  CHECK(used_bytes_ + bytes <= memory_bytes_);
  std::byte* const at = memory_.get() + used_bytes_;
  used_bytes_ += round_up(bytes);
  return {at, bytes};
}

template <typename Thing>
void Pool::fill(Shelf<Thing>& shelf, std::size_t count) {
  shelf.things_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<Thing, std::byte>) {
      shelf.things_.push_back(cut(kBetweenBytes).data());
    } else {
      shelf.owned_.push_back(std::make_unique<Thing>(cut(Thing::kMemoryBytes)));
      shelf.things_.push_back(shelf.owned_.back().get());
    }
  }
  shelf.free_ = count;
}

Pool::Pool(const PoolSizes& sizes)
    : memory_bytes_(bytes_of(sizes)),
      memory_(
          static_cast<std::byte*>(::operator new (bytes_of(sizes), std::align_val_t{kAlignment}))) {
  fill(gzip_encoders, sizes.gzip_encoders);
  fill(br_encoders, sizes.br_encoders);
  fill(zstd_encoders, sizes.zstd_encoders);
  fill(gzip_decoders, sizes.gzip_decoders);
  fill(br_decoders, sizes.br_decoders);
  fill(betweens, sizes.gzip_decoders + sizes.br_decoders);
}

Pool::~Pool() = default;

}  // namespace brink::l7::compress
