// AccessLog: takes the entries of finished requests out of the workers' rings and appends them to a
// file, a line of JSON each. A thread of its own, so that neither workers nor housekeeping ever
// wait for a disk; what it cannot keep up with the workers drop and count.
//
// A file that was renamed or removed (logrotate) is made anew within a second. Lines that the disk
// refuses are lost, counted, and told in the edge's own log.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "l7/log/ring.h"

namespace brink::edge {

struct AccessLogConfig {
  std::string path;
  std::string node;
  std::string colo;
  std::uint32_t workers = 1;
  std::size_t ring_bytes = std::size_t{4} << 20;  // of a worker; a power of two
};

class AccessLog {
 public:
  // Opens the file and starts the thread. An Error names the path.
  static base::Result<std::unique_ptr<AccessLog>> start(const AccessLogConfig& config);
  // Writes what the rings still hold. The workers have stopped.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Of the worker at this index; written by that worker alone.
  l7::log::Ring& ring(std::uint32_t worker) noexcept { return *rings_[worker]; }

  // Lines in the file, and lines that the disk refused. Any thread.
  [[nodiscard]] std::uint64_t written() const noexcept {
    return written_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);
  }

 private:
  explicit AccessLog(const AccessLogConfig& config);
  base::Result<void> open();
  void run();
  bool collect();
  void write();
  void follow_rotation();
  void lose(const std::string& why);

  const AccessLogConfig config_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  std::vector<std::unique_ptr<l7::log::Ring>> rings_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> written_{0};  // thread: wo
  std::atomic<std::uint64_t> lost_{0};     // thread: wo
  // Of the thread.
  base::UniqueFd file_;
  std::string lines_;
  std::uint64_t line_count_ = 0;  // in lines_
  std::int64_t told_at_s_ = 0;
  std::thread thread_;
};

}  // namespace brink::edge
