#include "dataplane/snapshot/image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/snapshot/verify.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

base::Error system_error(const std::string& what, const std::string& where,
                         const std::string& remedy = "") {
  return {what + ": " + std::strerror(errno), where, remedy};
}

bool write_whole(int fd, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_whole(int fd, std::span<std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Image::Image(Image&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Image& Image::operator=(Image&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, mapped_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

Image::~Image() {
  if (data_ != nullptr) ::munmap(data_, mapped_);
}

// Huge pages keep the name table within the TLB's reach: explicit ones first, then transparent.
base::Result<Image> Image::allocate(std::size_t size) {
  Image image;
  image.size_ = size;
  image.mapped_ = (size + kHugePage - 1) / kHugePage * kHugePage;
  void* at = MAP_FAILED;
  if (size >= kHugePage) {
    at = ::mmap(nullptr, image.mapped_, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  }
  if (at == MAP_FAILED) {
    // One page more, so that a 2 MiB boundary lies inside and transparent huge pages can start
    // there.
    const std::size_t padded = image.mapped_ + kHugePage;
    at = ::mmap(nullptr, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
      return system_error("no memory for an image of " + std::to_string(size) + " bytes", "",
                          "add memory or huge pages");
    }
    const auto start = reinterpret_cast<std::uintptr_t>(at);
    const std::uintptr_t aligned = (start + kHugePage - 1) / kHugePage * kHugePage;
    if (aligned > start) ::munmap(at, aligned - start);
    const std::uintptr_t end = start + padded;
    if (end > aligned + image.mapped_) {
      ::munmap(reinterpret_cast<void*>(aligned + image.mapped_), end - aligned - image.mapped_);
    }
    at = reinterpret_cast<void*>(aligned);
    ::madvise(at, image.mapped_, MADV_HUGEPAGE);
  }
  image.data_ = static_cast<std::uint8_t*>(at);
  return image;
}

base::Result<Image> Image::empty() {
  Builder builder{base::HashKey{}};
  return build(builder, 0, 0);
}

base::Result<Image> Image::build(Builder& builder, std::uint64_t version,
                                 std::uint64_t created_unix_ns) {
  auto image = allocate(builder.finish());
  if (!image) return image;
  builder.write({image.value().data_, image.value().size_}, version, created_unix_ns);
  return image;
}

base::Result<Image> Image::copy_verified(int fd, std::size_t size, const std::string& where) {
  if (size < kHeaderSize) {
    return base::Error{"shorter than an image header", where, "publish a fresh image"};
  }
  auto image = allocate(size);
  if (!image) return image;
  if (!read_whole(fd, {image.value().data_, size})) return system_error("cannot read", where);
  if (auto verified = verify(image.value().bytes()); !verified) {
    base::Error error = verified.error();
    if (!where.empty()) error.where = where + ", " + error.where;
    return error;
  }
  return image;
}

base::Result<Image> Image::receive(int fd, std::uint64_t size_bytes) {
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return base::Error{"the descriptor is not a memfd sealed against writing and resizing", "image",
                       "publish with brink-control of the same release"};
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size_bytes) {
    return base::Error{"the descriptor has " + std::to_string(status.st_size) +
                           " bytes, the message says " + std::to_string(size_bytes),
                       "image", ""};
  }
  return copy_verified(fd, size_bytes, "");
}

base::Result<Image> Image::load(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return system_error("cannot open", path);
  return copy_verified(fd.get(), static_cast<std::size_t>(status.st_size), path);
}

base::Result<void> Image::save(const std::string& path) const {
  const std::string fresh = path + ".new";
  base::UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd.valid()) return system_error("cannot create", fresh, "make the directory writable");
  if (!write_whole(fd.get(), bytes()) || ::fsync(fd.get()) != 0) {
    base::Error error = system_error("cannot write", fresh, "free space on that file system");
    ::unlink(fresh.c_str());
    return error;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("cannot rename", fresh);
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  base::UniqueFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || ::fsync(parent.get()) != 0) return system_error("cannot flush", directory);
  return {};
}

base::Result<base::UniqueFd> build_sealed(Builder& builder, std::uint64_t version,
                                          std::uint64_t created_unix_ns,
                                          std::uint64_t& size_bytes) {
  const std::size_t size = builder.finish();
  base::UniqueFd fd(::memfd_create("brink-image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return system_error("no memfd for an image of " + std::to_string(size) + " bytes", "",
                        "add memory");
  }
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return system_error("cannot map the image", "", "add memory");
  builder.write({static_cast<std::uint8_t*>(at), size}, version, created_unix_ns);
  ::munmap(at, size);
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
      0) {
    return system_error("cannot seal the image", "");
  }
  size_bytes = size;
  return fd;
}

}  // namespace brink::snapshot
