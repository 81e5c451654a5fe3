#include "dns/guard/rate_limit.h"

namespace brink::dns::guard {
namespace {

constexpr std::uint8_t kAnyKind = 0xff;

}  // namespace

RateRuling RateLimiter::check(const base::IpAddress& client, AnswerKind kind,
                              std::uint64_t name_hash, std::uint32_t unix_seconds) noexcept {
  const RateLimit limit = limit_on(client, kind, name_hash, unix_seconds);
  if (limit != RateLimit::kNone) {
    const RateRuling ruling = limited(client, limit);
    if (ruling.verdict != RateVerdict::kSend) return ruling;
  }
  ++total_.sent;
  if (is_negative(kind)) ++negative_.sent;
  return {};
}

// The narrowest first: what one network gets too much of is not counted against the others.
RateLimit RateLimiter::limit_on(const base::IpAddress& client, AnswerKind kind,
                                std::uint64_t name_hash, std::uint32_t now) noexcept {
  const bool negative_full = negative_.is_full(options_.negative_per_second, now);
  const bool total_full = total_.is_full(options_.total_per_second, now);
  if (options_.answers_per_second != 0 &&
      is_over(client, {name_hash, static_cast<std::uint8_t>(kind)}, options_.answers_per_second,
              now)) {
    return RateLimit::kLike;
  }
  if (options_.source_per_second != 0 &&
      is_over(client, {0, kAnyKind}, options_.source_per_second, now)) {
    return RateLimit::kSource;
  }
  if (negative_full && is_negative(kind)) return RateLimit::kNegative;
  return total_full ? RateLimit::kTotal : RateLimit::kNone;
}

bool RateLimiter::is_over(const base::IpAddress& client, base::PrefixRates::Subject subject,
                          std::uint16_t limit, std::uint32_t unix_seconds) noexcept {
  return !rates_.take(client, subject, {.per_second = limit, .burst = limit}, unix_seconds);
}

// The list is looked at for none that is not over a limit. Above the ceiling of all nothing slips:
// it is what the worker may send.
RateRuling RateLimiter::limited(const base::IpAddress& client, RateLimit limit) noexcept {
  for (const base::IpPrefix& prefix : options_.exempt) {
    if (prefix.contains(client)) return {};
  }
  if (limit == RateLimit::kTotal || options_.slip == 0 || --until_slip_ > 0) {
    return {RateVerdict::kDrop, limit};
  }
  until_slip_ = options_.slip;
  return {RateVerdict::kSlip, limit};
}

}  // namespace brink::dns::guard
