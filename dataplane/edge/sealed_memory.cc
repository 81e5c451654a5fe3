#include "dataplane/edge/sealed_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "dataplane/base/unique_fd.h"
#include "dataplane/snapshot/file_io.h"

namespace brink::edge {
namespace {

constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;

}  // namespace

SealedMemory::SealedMemory(SealedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SealedMemory& SealedMemory::operator=(SealedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
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
  void* at = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (at == MAP_FAILED) return snapshot::system_error("cannot map the descriptor", "");
  SealedMemory memory;
  memory.data_ = static_cast<const std::uint8_t*>(at);
  memory.size_ = size_bytes;
  return memory;
}

base::Result<int> SealedMemory::make(std::span<const std::uint8_t> bytes) {
  base::UniqueFd fd(::memfd_create("brink", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || !snapshot::write_whole(fd.get(), bytes) ||
      ::fcntl(fd.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0) {
    return snapshot::system_error("no memfd", "", "add memory");
  }
  return fd.release();
}

}  // namespace brink::edge
