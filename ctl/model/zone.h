// Zone: one domain and its switches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ctl/model/id.h"
#include "ctl/model/name.h"
#include "ctl/model/rdata.h"
#include "ctl/model/timestamp.h"
#include "ctl/model/zone_dns.h"
#include "ctl/model/zone_dnssec.h"

namespace brink::ctl::model {

enum class ZoneStatus : std::uint8_t { kInitializing = 0, kPending = 1, kActive = 2, kMoved = 3 };
enum class ZoneType : std::uint8_t { kFull = 0, kPartial = 1, kSecondary = 2, kInternal = 3 };

std::string_view to_text(ZoneStatus status);
std::string_view to_text(ZoneType type);
std::optional<ZoneStatus> zone_status_from_text(std::string_view text);
std::optional<ZoneType> zone_type_from_text(std::string_view text);

// A start of authority that came with an imported zone. Its serial field is not used: the zone's
// own serial is written over it whenever it is served.
struct ZoneSoa {
  std::uint32_t ttl = 3600;
  Rdata rdata;

  bool operator==(const ZoneSoa&) const = default;
};

// A setting that a user has made. It is kept for the proxy and for whoever asks; of what is
// answered only HTTPS records depend on it (the rest is ZoneDns).
struct ZoneSetting {
  std::string value;  // compact JSON
  Timestamp modified_on;

  bool operator==(const ZoneSetting&) const = default;
};
using ZoneSettings = std::map<std::string, ZoneSetting>;

struct Zone {
  std::int64_t row = 0;  // the store's key; 0 = not stored yet
  Id id;
  DomainName name;
  ZoneStatus status = ZoneStatus::kPending;
  ZoneType type = ZoneType::kFull;
  bool paused = false;
  std::uint32_t serial = 0;  // RFC 1982; see next_serial
  std::optional<ZoneSoa> soa;
  ZoneDns dns;
  ZoneDnssec dnssec;
  ZoneSettings settings;  // by name; what nobody has set is not there
  Timestamp created_on;
  Timestamp modified_on;
  std::optional<Timestamp> activated_on;
  Id account;  // whose it is; none: the store gives it to the node's first account
};

// A zone's name as a user wrote it: absolute, no wildcard, not the root.
Outcome<DomainName> zone_name(std::string_view text);

// RFC 1982 3.2: whether serial `a` is newer than `b`.
constexpr bool is_newer_serial(std::uint32_t a, std::uint32_t b) {
  return a != b && static_cast<std::int32_t>(a - b) > 0;
}

// The serial that follows with a change at `now`, by the zone's SerialPolicy. That of a presigned
// zone is the signed one's, and stays.
std::uint32_t next_serial(const Zone& zone, Timestamp now);

// The fixed fields of SOA RDATA (RFC 1035 3.3.13), which end it.
inline constexpr std::size_t kSoaFixedSize = 20;
std::uint32_t soa_serial(std::span<const std::uint8_t> soa_rdata);
void set_soa_serial(std::span<std::uint8_t> soa_rdata, std::uint32_t serial);

}  // namespace brink::ctl::model
