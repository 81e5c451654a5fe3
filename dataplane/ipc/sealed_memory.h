// SealedMemory: the bytes of a memfd that nobody can change any more, mapped read-only; a copy
// where there are few of them, since unmapping interrupts every core that runs a thread of the
// process, and so every worker. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ipc {

class SealedMemory {
 public:
  SealedMemory() = default;
  SealedMemory(SealedMemory&& other) noexcept;
  SealedMemory& operator=(SealedMemory&& other) noexcept;
  ~SealedMemory();

  // Fails unless `fd` is a memfd of `size_bytes`, sealed against writing and resizing. The
  // descriptor stays the caller's.
  static base::Result<SealedMemory> map(int fd, std::uint64_t size_bytes);
  // A fresh sealed memfd with these bytes.
  static base::Result<base::UniqueFd> make(std::span<const std::uint8_t> bytes);

  [[nodiscard]] std::span<const std::uint8_t> bytes() const {
    return data_ == nullptr ? std::span<const std::uint8_t>(copy_) : std::span(data_, size_);
  }

 private:
  const std::uint8_t* data_ = nullptr;  // mapped
  std::size_t size_ = 0;
  std::vector<std::uint8_t> copy_;
};

}  // namespace brink::ipc
