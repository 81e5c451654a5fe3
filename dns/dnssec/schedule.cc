#include "dns/dnssec/schedule.h"

#include <string>

namespace brink::dns::dnssec {
namespace {

constexpr std::uint64_t kSpanMax = 0x40000000;  // a quarter of the circle of serial numbers

// FNV-1a, 64 bits, with MurmurHash3's last mixing. Part of what "the same signature times" means:
// another function moves every name's slots.
std::uint64_t hash_of(const Wire& owner) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : owner) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

std::int64_t offset_of(const SignaturePolicy& policy, const Wire& owner) {
  if (policy.jitter_s == 0) return 0;
  return static_cast<std::int64_t>(hash_of(owner) % policy.jitter_s);
}

base::Error fault(std::string what, std::string field, std::string remedy) {
  return {std::move(what), std::move(field), std::move(remedy)};
}

}  // namespace

base::Result<void> check_policy(const SignaturePolicy& policy, std::uint32_t sweep_s,
                                std::uint32_t ttl_max_s) {
  if (policy.period_s == 0) return fault("it is 0", "signature period", "use a week");
  if (policy.jitter_s > policy.period_s) {
    return fault(std::to_string(policy.jitter_s) + " s are more than the period",
                 "signature jitter", "use at most " + std::to_string(policy.period_s) + " s");
  }
  const std::uint64_t least = std::uint64_t{policy.period_s} + sweep_s + ttl_max_s;
  if (policy.validity_s < least) {
    return fault(std::to_string(policy.validity_s) +
                     " s are less than period, sweep and greatest TTL together",
                 "signature validity", "use at least " + std::to_string(least) + " s");
  }
  if (std::uint64_t{policy.validity_s} + policy.early_s > kSpanMax) {
    return fault("more than 34 years from inception to expiration", "signature validity",
                 "use weeks");
  }
  return {};
}

UnixTime slot_begin(const SignaturePolicy& policy, const Wire& owner, UnixTime now) {
  const std::int64_t period = policy.period_s;
  const std::int64_t since = (now - offset_of(policy, owner)) % period;
  return now - (since < 0 ? since + period : since);
}

UnixTime slot_end(const SignaturePolicy& policy, const Wire& owner, UnixTime now) {
  return slot_begin(policy, owner, now) + policy.period_s;
}

Validity validity_at(const SignaturePolicy& policy, const Wire& owner, UnixTime now) {
  const UnixTime begin = slot_begin(policy, owner, now);
  return {static_cast<std::uint32_t>(begin - policy.early_s),
          static_cast<std::uint32_t>(begin + policy.validity_s)};
}

bool slot_ended(const SignaturePolicy& policy, const Wire& owner, UnixTime before, UnixTime now) {
  return now > before && slot_end(policy, owner, before) <= now;
}

}  // namespace brink::dns::dnssec
