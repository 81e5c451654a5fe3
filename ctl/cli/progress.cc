#include "ctl/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr std::size_t kBarWidth = 30;

}  // namespace

std::string progress_line(std::uint64_t sent, std::uint64_t total, const std::string& afterwards,
                          std::int64_t seconds) {
  if (sent >= total) return afterwards + ", " + duration_text(seconds);
  const std::size_t filled = static_cast<std::size_t>(sent * kBarWidth / total);
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "] " +
         percent_text(sent, total) + "  " + size_text(sent) + " of " + size_text(total) + " sent";
}

bool Progress::is_wanted() {
  return ::isatty(STDERR_FILENO) == 1;
}

Progress::Progress(std::uint64_t total, std::string afterwards)
    : total_(total), afterwards_(std::move(afterwards)) {
  if (is_wanted()) thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void Progress::show() {
  const auto start = std::chrono::steady_clock::now();
  bool is_shown = false;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, is_shown ? kInterval : kPatience, [this] { return is_ended_; })) {
    const auto elapsed = std::chrono::steady_clock::now() - start;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    const std::string line =
        progress_line(sent_.load(std::memory_order_relaxed), total_, afterwards_, seconds);
    std::fputs(("\r\x1b[K" + line).c_str(), stderr);
    is_shown = true;
  }
  if (is_shown) std::fputs("\r\x1b[K", stderr);
}

}  // namespace brink::ctl::cli
