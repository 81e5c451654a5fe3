// Progress of work that takes its time, as one line on standard error; nothing where that is no
// terminal, and nothing in the first half second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace brink::ctl::cli {

// "[#####-----] 52.0%  1.3 MiB of 2.5 MiB sent", and from when all is sent "importing 1200 lines,
// 3s": how far a server is that does not say, nobody claims to know.
std::string progress_line(std::uint64_t sent, std::uint64_t total, const std::string& afterwards,
                          std::int64_t seconds);

class Progress {
 public:
  // `total`: bytes to send, 0 when it is not the sending that takes time. `afterwards`: what the
  // server does then.
  Progress(std::uint64_t total, std::string afterwards);
  // Whether anything would be shown.
  static bool is_wanted();
  // Takes the line away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Bytes sent so far.
  void sent(std::uint64_t bytes) { sent_.store(bytes, std::memory_order_relaxed); }

 private:
  void show();

  const std::uint64_t total_;
  const std::string afterwards_;
  std::atomic<std::uint64_t> sent_{0};  // sender: wo, the showing thread: ro
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace brink::ctl::cli
