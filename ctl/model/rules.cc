#include "ctl/model/rules.h"

#include <algorithm>

namespace brink::ctl::model {
namespace {

// Addresses that name no host elsewhere: this host, loopback, link-local, multicast, reserved.
// Private and documentation ranges are allowed: origins often stand in them.
bool is_unusable_v4(std::uint32_t a) {
  return (a >> 24) == 0 || (a >> 24) == 127 || (a >> 16) == 0xa9fe || (a >> 28) >= 0xe;
}

bool is_unusable_v6(const std::array<std::uint8_t, 16>& a) {
  const bool upper_zero = std::all_of(a.begin(), a.begin() + 15, [](auto b) { return b == 0; });
  const bool unspecified_or_loopback = upper_zero && a[15] <= 1;
  const bool link_local = a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
  return unspecified_or_loopback || link_local || a[0] == 0xff;
}

}  // namespace

std::vector<UnproxiableTarget> Rules::default_unproxiable_targets() {
  return {{"dkim2.mcsv.net", TargetMatch::kExact},
          {"dkim3.mcsv.net", TargetMatch::kExact},
          {"zmverify.zoho.com", TargetMatch::kExact},
          {"dkim.infusionmail.com", TargetMatch::kExact},
          {"dkim.amazonses.com", TargetMatch::kExactOrBelow},
          {"onmicrosoft.com", TargetMatch::kBelow},
          {"dkim.intercom.io", TargetMatch::kBelow},
          {"acm-validations.aws", TargetMatch::kBelow}};
}

std::optional<TargetMatch> target_match_from_text(std::string_view text) {
  if (text == "exact") return TargetMatch::kExact;
  if (text == "exact-or-sub") return TargetMatch::kExactOrBelow;
  if (text == "sub") return TargetMatch::kBelow;
  return std::nullopt;
}

bool is_proxiable_target(const Rules& rules, const DomainName& target) {
  return std::none_of(rules.unproxiable_targets.begin(), rules.unproxiable_targets.end(),
                      [&](const auto& entry) {
                        const auto name = DomainName::parse(entry.name);
                        if (!name) return false;
                        const bool same = target == name.value();
                        switch (entry.match) {
                          case TargetMatch::kExact:
                            return same;
                          case TargetMatch::kExactOrBelow:
                            return target.is_within(name.value());
                          case TargetMatch::kBelow:
                            return !same && target.is_within(name.value());
                        }
                        return false;
                      });
}

bool is_allowed_origin(const Rules& rules, const base::IpAddress& address) {
  const bool unusable =
      address.is_v4() ? is_unusable_v4(address.v4_host_order()) : is_unusable_v6(address.bytes());
  return !unusable && std::find(rules.edge_addresses.begin(), rules.edge_addresses.end(),
                                address) == rules.edge_addresses.end();
}

}  // namespace brink::ctl::model
