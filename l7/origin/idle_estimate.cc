#include "l7/origin/idle_estimate.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "l7/http/chars.h"

namespace brink::l7::origin {
namespace {

constexpr base::Duration kBelieveOne = std::chrono::minutes(1);
constexpr base::Duration kBelieveTwo = std::chrono::minutes(10);
// Who closes sooner than this does so for the response that it has just sent; no server waits so
// short.
constexpr base::Duration kTimeoutLeast = std::chrono::milliseconds(500);
constexpr std::uint32_t kTimeoutMaxS = 86'400;

// Timers of servers are some ten milliseconds apart, or an eighth.
bool are_alike(base::Duration one, base::Duration other) noexcept {
  const base::Duration apart = one > other ? one - other : other - one;
  return apart <= std::max<base::Duration>(std::max(one, other) / 8, std::chrono::milliseconds(50));
}

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

void IdleEstimate::note_closed(base::Duration idle, base::Time now) noexcept {
  if (idle < kTimeoutLeast) return;
  const bool known = now < closed_until_;
  const bool agrees = known && are_alike(idle, closed_after_);
  closed_after_ = known ? std::min(closed_after_, idle) : idle;
  const base::Time until = now + (agrees ? kBelieveTwo : kBelieveOne);
  closed_until_ = known ? std::max(closed_until_, until) : until;
}

void IdleEstimate::note_stated(base::Duration timeout, base::Time now) noexcept {
  stated_ = timeout;
  stated_until_ = now + kBelieveTwo;
}

base::Duration IdleEstimate::usable(base::Time now) const noexcept {
  base::Duration least = base::Duration::max();
  if (now < closed_until_) least = closed_after_;
  if (now < stated_until_) least = std::min(least, stated_);
  return least == base::Duration::max() ? least : least / 5 * 4;
}

std::optional<base::Duration> keep_alive_timeout(std::string_view value) noexcept {
  constexpr std::string_view kName = "timeout";
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view item = trimmed(value.substr(0, comma));
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    if (!http::equals_ignoring_case(trimmed(item.substr(0, equals)), kName)) continue;
    const std::string_view number = trimmed({item.data() + equals + 1, item.size() - equals - 1});
    std::uint32_t seconds = 0;
    const char* const end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, seconds);
    if (read.ec != std::errc() || read.ptr != end || seconds > kTimeoutMaxS) return {};
    return std::chrono::seconds(seconds);
  }
  return {};
}

}  // namespace brink::l7::origin
