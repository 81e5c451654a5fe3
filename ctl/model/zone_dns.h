// ZoneDns: the switches of a zone that decide how its names are answered, and their one text form,
// in which they are stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/name.h"

namespace brink::ctl::model {

// kDnsOnly: no record is proxied. kCdnOnly is kept for clients; names are answered as in kStandard.
enum class ZoneMode : std::uint8_t { kStandard = 0, kCdnOnly = 1, kDnsOnly = 2 };

std::string_view to_text(ZoneMode mode);
std::optional<ZoneMode> zone_mode_from_text(std::string_view text);

// How a zone's serial goes on with a change; every one of them leads to a newer serial (RFC 1982),
// but kKeep. kUnixTime: seconds since 1970. kDateSerial: YYYYMMDDnn, UTC (RFC 1912 2.2). Where that
// is not newer than what there is, the next number. kKeep: only an imported SOA changes it.
enum class SerialPolicy : std::uint8_t {
  kIncrement = 0,
  kUnixTime = 1,
  kDateSerial = 2,
  kKeep = 3
};

std::string_view to_text(SerialPolicy policy);
std::optional<SerialPolicy> serial_policy_from_text(std::string_view text);

struct ZoneDns {
  ZoneMode mode = ZoneMode::kStandard;
  bool flatten_all_cnames = false;      // answer every CNAME with the addresses behind it
  bool multi_provider = false;          // the zone's own apex NS stand beside the assigned ones
  bool enforce_dns_only = false;        // the account's, kept with each of its zones
  bool ipv6 = true;                     // proxied names have AAAA
  bool foundation_dns = false;          // kept for clients, without effect
  bool secondary_overrides = false;     // likewise
  std::optional<std::uint32_t> ns_ttl;  // of the assigned name servers, seconds
  std::uint32_t name_server_set = 0;    // which of the node's; see Authority
  std::uint32_t address_set = 0;        // likewise, of what proxied names answer with
  SerialPolicy serial_policy = SerialPolicy::kIncrement;
  std::vector<DomainName> vanity_servers;  // in place of the assigned ones; usually none

  bool operator==(const ZoneDns&) const = default;

  // Whether names other than the apex may be answered in another way than with `other`.
  [[nodiscard]] bool differs_below_apex(const ZoneDns& other) const;
};

// `name=value` a line; only what differs from the defaults, so that these are "".
std::string to_text(const ZoneDns& dns);
// Empty: not such a text.
std::optional<ZoneDns> zone_dns_from_text(std::string_view text);

}  // namespace brink::ctl::model
