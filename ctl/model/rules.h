// Rules: what an operator may set about which records are accepted. Plain values, read-only once
// the daemon runs; handed by reference to every check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/name.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::model {

enum class TargetMatch : std::uint8_t { kExact, kExactOrBelow, kBelow };

// A CNAME target that breaks when a proxy stands in front of it (mail keys, ownership proofs).
struct UnproxiableTarget {
  std::string name;
  TargetMatch match = TargetMatch::kExact;
};

struct Rules {
  std::uint32_t ttl_min = 60;
  std::uint32_t ttl_max = 86400;
  std::uint32_t ttl_auto = 300;  // what a stored TTL of 1 is answered with
  std::size_t comment_size_max = 500;
  std::size_t tags_max = 20;
  std::size_t text_size_max = 2048;   // content of one TXT record
  std::size_t text_total_max = 8192;  // contents of all TXT records of a name
  // Of all sets, our own: never an origin of a proxied record.
  std::vector<base::IpAddress> edge_addresses;
  std::vector<UnproxiableTarget> unproxiable_targets = default_unproxiable_targets();

  static std::vector<UnproxiableTarget> default_unproxiable_targets();
};

// "exact", "exact-or-sub", "sub".
std::optional<TargetMatch> target_match_from_text(std::string_view text);

// Whether a proxied CNAME may point at `target`.
bool is_proxiable_target(const Rules& rules, const DomainName& target);

// Whether a proxied A or AAAA may name `address` as its origin.
bool is_allowed_origin(const Rules& rules, const base::IpAddress& address);

}  // namespace brink::ctl::model
