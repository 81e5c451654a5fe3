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

// Reads fixed-width numbers off a text; the first fault sticks.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}

  // A number of exactly `width` digits within min..max.
  int number(std::size_t width, int min, int max) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const char c = i < rest_.size() ? rest_[i] : '\0';
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value >= min && value <= max ? value : fail();
  }
  // The next character, if it is one of these; otherwise nothing is taken.
  char any_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(char c) {
    if (any_of({&c, 1}) == '\0') fail();
  }
  // Digits as millionths; those behind the sixth do not count.
  std::int64_t fraction() {
    std::int64_t micros = 0, unit = kMicrosPerSecond / 10;
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') fail();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      micros += unit * (rest_.front() - '0');
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return micros;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

// Seconds east of UTC.
std::int64_t offset_of(Digits& digits) {
  if (digits.any_of("Zz") != '\0') return 0;
  const char sign = digits.any_of("+-");
  const int hours = digits.number(2, 0, 23);
  digits.expect(':');
  const std::int64_t seconds = hours * 3600 + digits.number(2, 0, 59) * 60;
  return sign == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<Timestamp> Timestamp::parse(std::string_view text) {
  Digits digits(text);
  const std::chrono::year year(digits.number(4, 1, 9999));
  digits.expect('-');
  const std::chrono::month month(static_cast<unsigned>(digits.number(2, 1, 12)));
  digits.expect('-');
  const std::chrono::day day(static_cast<unsigned>(digits.number(2, 1, 31)));
  const std::chrono::year_month_day date = year / month / day;
  if (!digits.ok() || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  std::int64_t seconds = days * 86'400, micros = 0;
  if (!digits.at_end()) {
    if (digits.any_of("Tt ") == '\0') return std::nullopt;
    seconds += digits.number(2, 0, 23) * 3600;
    digits.expect(':');
    seconds += digits.number(2, 0, 59) * 60;
    digits.expect(':');
    seconds += digits.number(2, 0, 60);
    if (digits.any_of(".") != '\0') micros = digits.fraction();
    seconds -= offset_of(digits);
  }
  if (!digits.ok() || !digits.at_end()) return std::nullopt;
  return Timestamp{seconds * kMicrosPerSecond + micros};
}

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
