#include "dataplane/edge/access_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "l7/log/access_line.h"

namespace brink::edge {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlock = 64 * 1024;  // octets that are written at once
constexpr milliseconds kPause{5};          // when the rings are empty
constexpr std::chrono::seconds kRotationCheck{1};
constexpr std::int64_t kToldEvery_s = 10;

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

// Appends all of `text`, or says why not.
std::string append(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(file, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return std::strerror(done < 0 ? errno : ENOSPC);
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace

AccessLog::AccessLog(const AccessLogConfig& config) : config_(config) {
  for (std::uint32_t i = 0; i < config.workers; ++i) {
    memory_.push_back(std::make_unique<std::byte[]>(config.ring_bytes));
    rings_.push_back(
        std::make_unique<l7::log::Ring>(std::span(memory_.back().get(), config.ring_bytes)));
  }
}

base::Result<std::unique_ptr<AccessLog>> AccessLog::start(const AccessLogConfig& config) {
  std::unique_ptr<AccessLog> log(new AccessLog(config));
  const auto opened = log->open();
  if (!opened) return opened.error();
  log->thread_ = std::thread([raw = log.get()] { raw->run(); });
  return log;
}

AccessLog::~AccessLog() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

base::Result<void> AccessLog::open() {
  file_ =
      base::UniqueFd(::open(config_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (file_.get() >= 0) return {};
  return base::Error{std::string("cannot be opened for writing: ") + std::strerror(errno),
                     "log.access = " + config_.path, "make its directory, or set another path"};
}

void AccessLog::run() {
  Clock::time_point next_check = Clock::now() + kRotationCheck;
  for (;;) {
    // Asked for before the rings are looked at: what was put before the stop is still written.
    const bool stopping = stop_.load(std::memory_order_relaxed);
    const bool more = collect();
    if (!lines_.empty()) write();
    if (Clock::now() >= next_check) {
      next_check = Clock::now() + kRotationCheck;
      follow_rotation();
    }
    if (more) continue;
    if (stopping) return;
    std::this_thread::sleep_for(kPause);
  }
}

// Takes about a block of lines out of the rings, each ring in its turn. False: they are empty.
bool AccessLog::collect() {
  bool any = true;
  while (any && lines_.size() < kBlock) {
    any = false;
    for (std::uint32_t worker = 0; worker < rings_.size(); ++worker) {
      const std::span<const std::byte> packed = rings_[worker]->front();
      if (packed.empty()) continue;
      l7::log::append_line(lines_, l7::log::unpack(packed),
                           {.node = config_.node, .colo = config_.colo, .worker = worker});
      rings_[worker]->pop();
      ++line_count_;
      any = true;
    }
  }
  return any;
}

void AccessLog::write() {
  if (file_.get() < 0) {
    const auto opened = open();
    if (!opened) lose(opened.error().message());
  }
  if (file_.get() >= 0) {
    const std::string fault = append(file_.get(), lines_);
    if (fault.empty()) {
      written_.store(written() + line_count_, std::memory_order_relaxed);
    } else {
      lose(config_.path + ": " + fault);
    }
  }
  lines_.clear();
  line_count_ = 0;
}

// The path leads to another file, or to none: that one was moved away, a new one is begun.
void AccessLog::follow_rotation() {
  struct stat ours {};
  struct stat there {};
  if (file_.get() < 0 || ::fstat(file_.get(), &ours) != 0) return;
  if (::stat(config_.path.c_str(), &there) == 0 && there.st_ino == ours.st_ino &&
      there.st_dev == ours.st_dev) {
    return;
  }
  const auto opened = open();
  if (!opened) lose(opened.error().message());
}

void AccessLog::lose(const std::string& why) {
  lost_.store(lost() + line_count_, std::memory_order_relaxed);
  const std::int64_t now = seconds_now();
  if (told_at_s_ != 0 && now < told_at_s_ + kToldEvery_s) return;
  told_at_s_ = now;
  spdlog::error("access log: {}; {} line(s) lost so far", why, lost());
}

}  // namespace brink::edge
