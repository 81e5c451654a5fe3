// Images as things that are owned, handed over and kept: sealed memfd, private memory, file. Cold.
//
// The way of an image: the control process builds it into a memfd and seals that; the edge checks
// the seals, copies it into memory of its own (huge pages where there are any) and verifies the
// copy, so that nothing outside can change what workers read; the last good one is kept on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/snapshot/builder.h"

namespace brink::snapshot {

// Image owns private memory that holds one verified image. Moves, never copies. Freeing it while a
// worker may still read is the caller's bug: free after an RCU grace period.
class Image {
 public:
  Image() = default;
  Image(Image&& other) noexcept;
  Image& operator=(Image&& other) noexcept;
  ~Image();

  [[nodiscard]] bool valid() const { return data_ != nullptr; }
  [[nodiscard]] const std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  [[nodiscard]] const ImageHeader& header() const {
    return *reinterpret_cast<const ImageHeader*>(data_);
  }

  // An image without names: every question is refused, every Host unknown. Version 0.
  static base::Result<Image> empty();
  // What the builder holds, as private memory: for tests and benchmarks.
  static base::Result<Image> build(Builder& builder, std::uint64_t version,
                                   std::uint64_t created_unix_ns);
  // A private, verified copy of the memfd at `fd`, which must be sealed against writing and
  // resizing.
  static base::Result<Image> receive(int fd, std::uint64_t size_bytes);
  // A private, verified copy of the file at `path`.
  static base::Result<Image> load(const std::string& path);

  // Replaces the file at `path`: written beside it, flushed, renamed. Blocks on the disk.
  base::Result<void> save(const std::string& path) const;

 private:
  static base::Result<Image> allocate(std::size_t size);
  static base::Result<Image> copy_verified(int fd, std::size_t size, const std::string& where);

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
};

// Builds into a fresh memfd and seals it (F_SEAL_WRITE, GROW, SHRINK, SEAL).
base::Result<base::UniqueFd> build_sealed(Builder& builder, std::uint64_t version,
                                          std::uint64_t created_unix_ns, std::uint64_t& size_bytes);

}  // namespace brink::snapshot
