#include "dataplane/ipc/sealed_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "dataplane/base/unique_fd.h"

namespace brink::ipc {
namespace {

constexpr std::size_t kCopyMaxBytes = 256 * 1024;
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;

base::Error system_error(const std::string& what, const std::string& remedy) {
  return {what + ": " + std::strerror(errno), "", remedy};
}

}  // namespace

SealedMemory::SealedMemory(SealedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      copy_(std::move(other.copy_)) {}

SealedMemory& SealedMemory::operator=(SealedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(copy_, other.copy_);
  return *this;
}

SealedMemory::~SealedMemory() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

base::Result<SealedMemory> SealedMemory::map(int fd, std::uint64_t size_bytes) {
  if (fd < 0) return base::Error{"no descriptor came with the message", "", ""};
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat status {};
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(fd, &status) != 0) {
    return base::Error{"the descriptor is not a memfd sealed against writing and resizing", "",
                       "publish with brink-control of the same release"};
  }
  if (size_bytes == 0 || static_cast<std::uint64_t>(status.st_size) != size_bytes) {
    return base::Error{"the descriptor has " + std::to_string(status.st_size) +
                           " bytes, the message says " + std::to_string(size_bytes),
                       "", ""};
  }
  SealedMemory memory;
  if (size_bytes <= kCopyMaxBytes) {
    memory.copy_.resize(size_bytes);
    const ssize_t read = ::pread(fd, memory.copy_.data(), size_bytes, 0);
    if (read < 0 || static_cast<std::uint64_t>(read) != size_bytes) {
      return system_error("cannot read the descriptor", "");
    }
    return memory;
  }
  void* at = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (at == MAP_FAILED) return system_error("cannot map the descriptor", "add memory");
  memory.data_ = static_cast<const std::uint8_t*>(at);
  memory.size_ = size_bytes;
  return memory;
}

base::Result<base::UniqueFd> SealedMemory::make(std::span<const std::uint8_t> bytes) {
  base::UniqueFd fd(::memfd_create("brink", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  bool written = fd.valid();
  while (written && !bytes.empty()) {
    const ssize_t size = ::write(fd.get(), bytes.data(), bytes.size());
    written = size > 0;
    if (written) bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  if (!written || ::fcntl(fd.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0) {
    return system_error("no memfd", "add memory");
  }
  return fd;
}

}  // namespace brink::ipc
