#include "ctl/model/zone_dns.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace brink::ctl::model {
namespace {

constexpr std::pair<ZoneMode, std::string_view> kModeTexts[] = {{ZoneMode::kStandard, "standard"},
                                                                {ZoneMode::kCdnOnly, "cdn_only"},
                                                                {ZoneMode::kDnsOnly, "dns_only"}};

constexpr std::pair<SerialPolicy, std::string_view> kPolicyTexts[] = {
    {SerialPolicy::kIncrement, "increment"},
    {SerialPolicy::kUnixTime, "unixtime"},
    {SerialPolicy::kDateSerial, "dateserial"},
    {SerialPolicy::kKeep, "keep"}};

struct Flag {
  std::string_view name;
  bool ZoneDns::*member;
};
constexpr Flag kFlags[] = {{"flatten_all_cnames", &ZoneDns::flatten_all_cnames},
                           {"multi_provider", &ZoneDns::multi_provider},
                           {"enforce_dns_only", &ZoneDns::enforce_dns_only},
                           {"ipv6", &ZoneDns::ipv6},
                           {"foundation_dns", &ZoneDns::foundation_dns},
                           {"secondary_overrides", &ZoneDns::secondary_overrides}};

struct Number {
  std::string_view name;
  std::uint32_t ZoneDns::*member;
};
constexpr Number kNumbers[] = {{"name_server_set", &ZoneDns::name_server_set},
                               {"address_set", &ZoneDns::address_set}};

std::optional<std::uint32_t> to_u32(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// False: no such member, or no such value.
bool read_member(std::string_view name, std::string_view value, ZoneDns& dns) {
  for (const Flag& flag : kFlags) {
    if (flag.name != name) continue;
    dns.*flag.member = value == "1";
    return value == "0" || value == "1";
  }
  const auto number = to_u32(value);
  for (const Number& each : kNumbers) {
    if (each.name != name || !number) continue;
    dns.*each.member = *number;
    return true;
  }
  if (name == "ns_ttl") {
    dns.ns_ttl = number;
    return number.has_value();
  }
  if (name == "mode") {
    const auto mode = zone_mode_from_text(value);
    dns.mode = mode.value_or(ZoneMode::kStandard);
    return mode.has_value();
  }
  if (name == "serial_policy") {
    const auto policy = serial_policy_from_text(value);
    dns.serial_policy = policy.value_or(SerialPolicy::kIncrement);
    return policy.has_value();
  }
  if (name != "vanity_server") return false;
  auto server = DomainName::parse(value);
  if (!server) return false;
  dns.vanity_servers.push_back(std::move(server).value());
  return true;
}

}  // namespace

std::string_view to_text(ZoneMode mode) {
  return kModeTexts[static_cast<std::size_t>(mode)].second;
}

std::optional<ZoneMode> zone_mode_from_text(std::string_view text) {
  for (const auto& [mode, name] : kModeTexts) {
    if (name == text) return mode;
  }
  return std::nullopt;
}

std::string_view to_text(SerialPolicy policy) {
  return kPolicyTexts[static_cast<std::size_t>(policy)].second;
}

std::optional<SerialPolicy> serial_policy_from_text(std::string_view text) {
  for (const auto& [policy, name] : kPolicyTexts) {
    if (name == text) return policy;
  }
  return std::nullopt;
}

bool ZoneDns::differs_below_apex(const ZoneDns& other) const {
  return mode != other.mode || flatten_all_cnames != other.flatten_all_cnames ||
         enforce_dns_only != other.enforce_dns_only || ipv6 != other.ipv6 ||
         address_set != other.address_set;
}

std::string to_text(const ZoneDns& dns) {
  const ZoneDns defaults;
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += std::string(name) + "=" + std::string(value) + "\n";
  };
  if (dns.mode != defaults.mode) add("mode", to_text(dns.mode));
  for (const Flag& flag : kFlags) {
    if (dns.*flag.member != defaults.*flag.member) add(flag.name, dns.*flag.member ? "1" : "0");
  }
  for (const Number& number : kNumbers) {
    if (dns.*number.member != defaults.*number.member) {
      add(number.name, std::to_string(dns.*number.member));
    }
  }
  if (dns.ns_ttl) add("ns_ttl", std::to_string(*dns.ns_ttl));
  if (dns.serial_policy != defaults.serial_policy) {
    add("serial_policy", to_text(dns.serial_policy));
  }
  for (const DomainName& server : dns.vanity_servers) add("vanity_server", server.text());
  return text;
}

std::optional<ZoneDns> zone_dns_from_text(std::string_view text) {
  ZoneDns dns;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!read_member(line.substr(0, equals), line.substr(equals + 1), dns)) return std::nullopt;
  }
  return dns;
}

}  // namespace brink::ctl::model
