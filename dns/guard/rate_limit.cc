#include "dns/guard/rate_limit.h"

#include <cstring>

namespace brink::dns::guard {
namespace {

constexpr std::uint8_t kAnyKind = 0xff;

// Clears what lies behind the first `bits` of the 16 octets.
void mask(std::uint8_t* address, unsigned bits) noexcept {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
    if (kept < 8) address[i] = static_cast<std::uint8_t>(address[i] & (0xff00U >> kept));
  }
}

}  // namespace

std::uint64_t RateLimiter::hash(const base::IpAddress& client, std::uint8_t what,
                                std::uint64_t name_hash) const noexcept {
  alignas(16) std::uint8_t input[32] = {};
  std::memcpy(input, client.bytes().data(), 16);
  mask(input, client.is_v4() ? 96U + options_.prefix_v4 : options_.prefix_v6);
  std::memcpy(input + 16, &name_hash, sizeof name_hash);
  input[24] = what;
  return base::keyed_hash(options_.key, input, sizeof input);
}

// The one with the tag; else the one that was used the longest ago gives way.
std::size_t RateLimiter::way_of(const Line& line, std::uint32_t tag,
                                std::uint16_t second) noexcept {
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < kWays; ++i) {
    if (line.tags[i] == tag) return i;
    const auto age = [&](std::size_t way) {
      return static_cast<std::uint16_t>(second - line.seconds[way]);
    };
    if (age(i) > age(oldest)) oldest = i;
  }
  return oldest;
}

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
  if (options_.answers_per_second != 0 && is_over(client, static_cast<std::uint8_t>(kind),
                                                  name_hash, options_.answers_per_second, now)) {
    return RateLimit::kLike;
  }
  if (options_.source_per_second != 0 &&
      is_over(client, kAnyKind, 0, options_.source_per_second, now)) {
    return RateLimit::kSource;
  }
  if (negative_full && is_negative(kind)) return RateLimit::kNegative;
  return total_full ? RateLimit::kTotal : RateLimit::kNone;
}

bool RateLimiter::is_over(const base::IpAddress& client, std::uint8_t what, std::uint64_t name_hash,
                          std::uint16_t limit, std::uint32_t unix_seconds) noexcept {
  const std::uint64_t hashed = hash(client, what, name_hash);
  Line& line = lines_[hashed & (options_.lines - 1)];
  const auto tag = static_cast<std::uint32_t>(hashed >> 32 | 1);  // 0 is nobody's
  const auto second = static_cast<std::uint16_t>(unix_seconds);
  const std::size_t way = way_of(line, tag, second);
  if (line.tags[way] != tag || line.seconds[way] != second) {
    line.tags[way] = tag;
    line.seconds[way] = second;
    line.sent[way] = 0;
  }
  if (line.sent[way] >= limit) return true;
  ++line.sent[way];
  return false;
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
