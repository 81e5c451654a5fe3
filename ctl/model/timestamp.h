// Timestamp: wall-clock time of a change, microseconds since 1970 UTC.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brink::ctl::model {

struct Timestamp {
  std::int64_t micros = 0;

  // RFC 3339 with six fractional digits and Z, as in "2026-01-31T08:05:09.000120Z".
  [[nodiscard]] std::string rfc3339() const;
  // RFC 3339 5.6 with any fraction and offset; a date alone is its midnight, UTC.
  static std::optional<Timestamp> parse(std::string_view text);
  // The day as the number yyyymmdd, from which SOA serials start.
  [[nodiscard]] std::uint32_t yyyymmdd() const;

  auto operator<=>(const Timestamp&) const = default;
};

using WallClock = std::function<Timestamp()>;

WallClock system_wall_clock();

}  // namespace brink::ctl::model
