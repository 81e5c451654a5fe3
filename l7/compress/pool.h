// Pool: the encoders and decoders of one worker. All memory is taken when it is made; after that
// it only lends. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/check.h"
#include "l7/compress/br_decoder.h"
#include "l7/compress/br_encoder.h"
#include "l7/compress/gzip_decoder.h"
#include "l7/compress/gzip_encoder.h"
#include "l7/compress/zstd_encoder.h"

namespace brink::l7::compress {

// How many of each. A decoder comes with a buffer of kBetweenBytes, for what is encoded again.
struct PoolSizes {
  std::size_t gzip_encoders = 0;
  std::size_t br_encoders = 0;
  std::size_t zstd_encoders = 0;
  std::size_t gzip_decoders = 0;
  std::size_t br_decoders = 0;
};

inline constexpr std::size_t kBetweenBytes = 16 * 1024;

// A stack of things to lend; the last one that came back is lent first, its memory is warm.
template <typename Thing>
class Shelf {
 public:
  // Null when all are lent.
  Thing* take() noexcept { return free_ == 0 ? nullptr : things_[--free_]; }
  void put(Thing* thing) noexcept {
    CHECK(free_ < things_.size());
    things_[free_++] = thing;
  }
  [[nodiscard]] std::size_t free() const noexcept { return free_; }

 private:
  friend class Pool;
  std::size_t free_ = 0;
  std::vector<Thing*> things_;  // the first `free_` are here
  std::vector<std::unique_ptr<Thing>> owned_;
};

class Pool {
 public:
  explicit Pool(const PoolSizes& sizes);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  Shelf<GzipEncoder> gzip_encoders;
  Shelf<BrEncoder> br_encoders;
  Shelf<ZstdEncoder> zstd_encoders;
  Shelf<GzipDecoder> gzip_decoders;
  Shelf<BrDecoder> br_decoders;
  Shelf<std::byte> betweens;  // kBetweenBytes each, one for each decoder

  // A body in any coding that an origin was asked for can be decoded now.
  [[nodiscard]] bool can_decode() const noexcept {
    return gzip_decoders.free() != 0 && br_decoders.free() != 0;
  }
  // What all of it takes; of a brotli decoder's share most is never touched.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }

 private:
  struct FreeAligned {
    void operator()(std::byte* memory) const noexcept;
  };
  std::span<std::byte> cut(std::size_t bytes) noexcept;
  template <typename Thing>
  void fill(Shelf<Thing>& shelf, std::size_t count);

  std::size_t memory_bytes_ = 0;
  std::size_t used_bytes_ = 0;
  std::unique_ptr<std::byte, FreeAligned> memory_;
};

}  // namespace brink::l7::compress
