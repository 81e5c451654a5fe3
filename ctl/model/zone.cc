#include "ctl/model/zone.h"

#include <algorithm>
#include <utility>

#include "dataplane/base/bytes.h"

namespace brink::ctl::model {
namespace {

constexpr std::pair<ZoneStatus, std::string_view> kStatusTexts[] = {
    {ZoneStatus::kInitializing, "initializing"},
    {ZoneStatus::kPending, "pending"},
    {ZoneStatus::kActive, "active"},
    {ZoneStatus::kMoved, "moved"}};

constexpr std::pair<ZoneType, std::string_view> kTypeTexts[] = {{ZoneType::kFull, "full"},
                                                                {ZoneType::kPartial, "partial"},
                                                                {ZoneType::kSecondary, "secondary"},
                                                                {ZoneType::kInternal, "internal"}};

}  // namespace

std::string_view to_text(ZoneStatus status) {
  return kStatusTexts[static_cast<std::size_t>(status)].second;
}

std::string_view to_text(ZoneType type) {
  return kTypeTexts[static_cast<std::size_t>(type)].second;
}

std::optional<ZoneStatus> zone_status_from_text(std::string_view text) {
  for (const auto& [status, name] : kStatusTexts) {
    if (name == text) return status;
  }
  return std::nullopt;
}

std::optional<ZoneType> zone_type_from_text(std::string_view text) {
  for (const auto& [type, name] : kTypeTexts) {
    if (name == text) return type;
  }
  return std::nullopt;
}

Outcome<DomainName> zone_name(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return Refusal{
        400, kCodeZoneInvalid, "\"" + std::string(text) + "\" is not a zone name: " + why, {}};
  };
  auto name = DomainName::parse(to_ascii(text));
  if (!name) return refuse(name.error().detail());
  if (name.value().is_root()) return refuse("the root is not served here.");
  if (name.value().is_wildcard()) return refuse("a zone cannot be a wildcard.");
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const std::string& canonical = name.value().text();
  if (!std::all_of(canonical.begin(), canonical.end(), is_plain)) {
    return refuse("write letters, digits, \"-\", \"_\" and dots.");
  }
  return name;
}

std::uint32_t next_serial(const Zone& zone, Timestamp now) {
  if (zone.dnssec.presigned) return zone.serial;
  const auto at_least = [&zone](std::uint32_t wanted) {
    return is_newer_serial(wanted, zone.serial) ? wanted : zone.serial + 1;
  };
  switch (zone.dns.serial_policy) {
    case SerialPolicy::kIncrement:
      return zone.serial + 1;
    case SerialPolicy::kUnixTime:
      return at_least(static_cast<std::uint32_t>(now.micros / 1'000'000));
    case SerialPolicy::kDateSerial:
      return at_least(now.yyyymmdd() * 100);
    case SerialPolicy::kKeep:
      return zone.serial;
  }
  return zone.serial + 1;
}

std::uint32_t soa_serial(std::span<const std::uint8_t> soa_rdata) {
  CHECK(soa_rdata.size() > kSoaFixedSize);
  return base::load_be32(soa_rdata.data() + soa_rdata.size() - kSoaFixedSize);
}

void set_soa_serial(std::span<std::uint8_t> soa_rdata, std::uint32_t serial) {
  CHECK(soa_rdata.size() > kSoaFixedSize);
  base::store_be32(soa_rdata.data() + soa_rdata.size() - kSoaFixedSize, serial);
}

}  // namespace brink::ctl::model
