#include "dataplane/snapshot/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/snapshot/file_io.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {
namespace {

// A file as memory, read only.
class Mapping {
 public:
  Mapping(int fd, std::uint64_t size) : size_(size) {
    if (size == 0) return;
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at != MAP_FAILED) data_ = static_cast<const std::uint8_t*>(at);
  }
  ~Mapping() {
    if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] bool ok() const { return size_ == 0 || data_ != nullptr; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::uint64_t size_;
};

// Whether a whole transaction starts anywhere behind the first byte.
bool holds_transaction(std::span<const std::uint8_t> rest) {
  while (rest.size() > 1) {
    rest = rest.subspan(1);
    const void* found = ::memmem(rest.data(), rest.size(), &kTransactionMagic,
                                 sizeof kTransactionMagic);
    if (found == nullptr) return false;
    rest = rest.subspan(static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) -
                                                 rest.data()));
    if (read_transaction(rest)) return true;
  }
  return false;
}

// An append that was cut off is the last: so a whole transaction behind the faulty one, or bytes
// behind the end that its header gives, say that it was whole once. The header itself may be what
// is damaged, and one that is refused for its layout version was whole, too.
bool is_torn(std::span<const std::uint8_t> rest) {
  TransactionHeader header;
  if (rest.size() < sizeof header) return true;
  std::memcpy(&header, rest.data(), sizeof header);
  const bool ends_early = header.magic == 0 || (header.magic == kTransactionMagic &&
                                                header.layout_version == kLayoutVersion &&
                                                header.total_size_bytes >= rest.size());
  return ends_early && !holds_transaction(rest);
}

}  // namespace

base::Result<LogScan> scan_log(
    const std::string& path,
    const std::function<base::Result<void>(const TransactionHeader&,
                                           std::span<const std::uint8_t>)>& visit,
    std::uint64_t bytes_max) {
  LogScan scan;
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return scan;
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return system_error("cannot open", path);
  scan.size_bytes = std::min(static_cast<std::uint64_t>(status.st_size), bytes_max);
  const Mapping file(fd.get(), scan.size_bytes);
  if (!file.ok()) return system_error("cannot map", path, "add memory");

  while (scan.good_bytes < scan.size_bytes) {
    const auto rest = file.bytes().subspan(scan.good_bytes);
    const auto header = read_transaction(rest);
    if (!header) {
      scan.fault = header.error().what;
      scan.torn = is_torn(rest);
      return scan;
    }
    const auto transaction = rest.first(header.value().total_size_bytes);
    if (auto visited = visit(header.value(), transaction); !visited) {
      base::Error error = visited.error();
      error.where = path + " at byte " + std::to_string(scan.good_bytes) +
                    (error.where.empty() ? "" : ", " + error.where);
      return error;
    }
    scan.good_bytes += transaction.size();
    ++scan.transactions;
  }
  return scan;
}

base::Result<Log> Log::open(const std::string& path, std::uint64_t good_bytes) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
  if (!fd.valid()) return system_error("cannot create", path, "make the directory writable");
  if (::ftruncate(fd.get(), static_cast<off_t>(good_bytes)) != 0 ||
      ::lseek(fd.get(), 0, SEEK_END) < 0) {
    return system_error("cannot cut", path);
  }
  if (auto flushed = flush_directory_of(path); !flushed) return flushed.error();
  return Log(path, std::move(fd), good_bytes);
}

base::Result<void> Log::append(std::span<const std::uint8_t> transaction) {
  if (write_whole(fd_.get(), transaction)) {
    size_bytes_ += transaction.size();
    return {};
  }
  base::Error error = system_error("cannot append", path_, "free space on that file system");
  // What did go in must not stand before the next transaction.
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0 ||
      ::lseek(fd_.get(), static_cast<off_t>(size_bytes_), SEEK_SET) < 0) {
    error.what += "; and cannot cut it off again: " + std::string(std::strerror(errno));
  }
  return error;
}

base::Result<void> Log::flush() const {
  if (::fdatasync(fd_.get()) != 0) return system_error("cannot flush", path_);
  return {};
}

}  // namespace brink::snapshot
