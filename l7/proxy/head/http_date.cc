#include "l7/proxy/head/http_date.h"

#include <chrono>
#include <cstring>

namespace brink::l7::proxy {

HttpDate http_date(std::int64_t unix_seconds) noexcept {
  static constexpr char kDays[] = "SunMonTueWedThuFriSat";
  static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::chrono::sys_seconds when{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{when - day};
  HttpDate out;
  char* const p = out.chars.data();
  std::memcpy(p, "---, -- --- ---- --:--:-- GMT", out.chars.size());
  const auto digits = [p](std::size_t at, unsigned value, unsigned count) {
    for (unsigned i = count; i-- > 0; value /= 10) p[at + i] = static_cast<char>('0' + value % 10);
  };
  std::memcpy(p, kDays + std::size_t{std::chrono::weekday{day}.c_encoding()} * 3, 3);
  digits(5, static_cast<unsigned>(date.day()), 2);
  std::memcpy(p + 8,
              kMonths + (static_cast<std::size_t>(static_cast<unsigned>(date.month())) - 1) * 3, 3);
  digits(12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  digits(17, static_cast<unsigned>(time.hours().count()), 2);
  digits(20, static_cast<unsigned>(time.minutes().count()), 2);
  digits(23, static_cast<unsigned>(time.seconds().count()), 2);
  return out;
}

}  // namespace brink::l7::proxy
