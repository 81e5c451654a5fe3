#include "ctl/model/timestamp.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace brink::ctl::model {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::tm broken_down(std::int64_t seconds) {
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm tm{};
  ::gmtime_r(&time, &tm);
  return tm;
}

// Floors, so that times before 1970 keep a positive fraction.
std::int64_t whole_seconds(std::int64_t micros) {
  const std::int64_t seconds = micros / kMicrosPerSecond;
  return micros % kMicrosPerSecond < 0 ? seconds - 1 : seconds;
}

}  // namespace

std::string Timestamp::rfc3339() const {
  const std::int64_t seconds = whole_seconds(micros);
  const std::tm tm = broken_down(seconds);
  char text[80];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
                    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                    static_cast<int>(micros - seconds * kMicrosPerSecond));
  return {text, static_cast<std::size_t>(size)};
}

std::uint32_t Timestamp::yyyymmdd() const {
  const std::tm tm = broken_down(whole_seconds(micros));
  return static_cast<std::uint32_t>((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 +
                                    tm.tm_mday);
}

WallClock system_wall_clock() {
  return [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
  };
}

}  // namespace brink::ctl::model
