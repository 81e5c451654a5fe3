// RateLimiter: how many like answers a second one network gets over UDP. A flood of questions with
// a forged source is a flood of answers to a victim; what the victim's network really asks for is
// seldom more than a few of the same (the idea of response rate limiting as BIND and NSD have it).
// Counted per kind of answer and the name it came from, so that a random-subdomain flood, whose
// answers all come from one name, is one thing.
//
// Above that stand ceilings: of all answers to one network, and of one worker's negative and all
// answers to anybody, so that no flood takes the whole of what a worker can send.
//
// One thread; nothing allocated after construction. Hot.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/base/hash.h"
#include "dataplane/base/ip_prefix.h"
#include "dataplane/base/prefix_rates.h"

namespace brink::dns::guard {

enum class AnswerKind : std::uint8_t { kData, kNoData, kNxDomain, kReferral, kError };

inline constexpr bool is_negative(AnswerKind kind) noexcept {
  return kind == AnswerKind::kNoData || kind == AnswerKind::kNxDomain;
}

struct RateLimiterOptions {
  // Answers a second; 0: no limit.
  std::uint16_t answers_per_second = 200;  // of one kind and name to one network
  std::uint16_t source_per_second = 0;     // to one network
  std::uint32_t negative_per_second = 0;   // that say that something is not there
  std::uint32_t total_per_second = 0;
  [[nodiscard]] bool limits_anything() const noexcept {
    return (answers_per_second | source_per_second | negative_per_second | total_per_second) != 0;
  }

  std::uint16_t slip = 2;  // one in so many of the others is sent, truncated; 0: none
  std::uint8_t prefix_v4 = 24;
  std::uint8_t prefix_v6 = 56;
  std::uint32_t lines = 16384;  // of 64 octets, for eight networks and names each; a power of two
  base::HashKey key{};          // random
  std::vector<base::IpPrefix> exempt = {};  // who is never limited
};

enum class RateVerdict : std::uint8_t {
  kSend,
  kSlip,  // truncated, so that a real client comes back over TCP
  kDrop,
};

// Which limit it was; of kSend none was.
enum class RateLimit : std::uint8_t { kNone, kLike, kSource, kNegative, kTotal };

struct RateRuling {
  RateVerdict verdict = RateVerdict::kSend;
  RateLimit limit = RateLimit::kNone;
};

class RateLimiter {
 public:
  explicit RateLimiter(const RateLimiterOptions& options)
      : options_(options),
        rates_({.prefix_v4 = options.prefix_v4,
                .prefix_v6 = options.prefix_v6,
                .lines = options.lines,
                .key = options.key}),
        until_slip_(options.slip) {}

  // `name_hash`: of the name that the answer came from: the question's own, the wildcard's, the
  // closest encloser's or the delegation's.
  RateRuling check(const base::IpAddress& client, AnswerKind kind, std::uint64_t name_hash,
                   std::uint32_t unix_seconds) noexcept;

 private:
  // Answers to anybody within a second.
  struct Window {
    std::uint32_t second = 0;
    std::uint32_t sent = 0;
    [[nodiscard]] bool is_full(std::uint32_t limit, std::uint32_t now) noexcept {
      if (second != now) *this = {now, 0};
      return limit != 0 && sent >= limit;
    }
  };

  [[nodiscard]] RateLimit limit_on(const base::IpAddress& client, AnswerKind kind,
                                   std::uint64_t name_hash, std::uint32_t now) noexcept;
  bool is_over(const base::IpAddress& client, base::PrefixRates::Subject subject,
               std::uint16_t limit, std::uint32_t unix_seconds) noexcept;
  RateRuling limited(const base::IpAddress& client, RateLimit limit) noexcept;

  RateLimiterOptions options_;
  base::PrefixRates rates_;
  std::uint16_t until_slip_;
  Window negative_;
  Window total_;
};

}  // namespace brink::dns::guard
