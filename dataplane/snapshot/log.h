// The log: the transactions since the image on disk, one behind the other as they came. Cold.
//
// A process that dies while it writes leaves a torn tail, which the next start cuts off: no one was
// told that it was kept. Damage before the tail is something else, and is said so.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::snapshot {

// How far a log could be read.
struct LogScan {
  std::uint64_t good_bytes = 0;  // whole transactions, from the file's start
  std::uint64_t size_bytes = 0;  // of what was read
  std::uint64_t transactions = 0;
  std::string fault;  // why no further; empty: read to the end
  bool torn = false;  // the fault is an unfinished last transaction
};

// Gives each whole transaction of the file at `path` to `visit`, in order. An Error is that of
// `visit`, or the file cannot be read. A file that is not there is an empty log, and what lies behind
// `bytes_max` is not part of it.
base::Result<LogScan> scan_log(
    const std::string& path,
    const std::function<base::Result<void>(const TransactionHeader&, std::span<const std::uint8_t>)>&
        visit,
    std::uint64_t bytes_max = ~std::uint64_t{0});

// Log: the file that is being written. One thread; flush() may be called by another meanwhile.
class Log {
 public:
  // Opens the file, made if need be, and goes on behind its first `good_bytes`: the rest is cut.
  static base::Result<Log> open(const std::string& path, std::uint64_t good_bytes);

  // Appends one transaction; when it returns, it survives the death of the process, not yet of the
  // machine. On an Error nothing of it is in the file.
  base::Result<void> append(std::span<const std::uint8_t> transaction);
  // Waits until what was appended before the call is on the disk.
  base::Result<void> flush() const;

  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Log(std::string path, base::UniqueFd fd, std::uint64_t size_bytes)
      : path_(std::move(path)), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  std::string path_;
  base::UniqueFd fd_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace brink::snapshot
