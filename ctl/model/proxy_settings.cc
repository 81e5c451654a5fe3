#include "ctl/model/proxy_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace brink::ctl::model {
namespace {

using Json = nlohmann::json;

constexpr std::pair<const char*, bool ProxySettings::*> kSwitches[] = {
    {"0rtt", &ProxySettings::early_data},
    {"always_use_https", &ProxySettings::always_use_https},
    {"automatic_https_rewrites", &ProxySettings::automatic_https_rewrites},
    {"brotli", &ProxySettings::brotli},
    {"early_hints", &ProxySettings::early_hints},
    {"http2", &ProxySettings::http2},
    {"http3", &ProxySettings::http3},
    {"ip_geolocation", &ProxySettings::ip_geolocation},
    {"opportunistic_encryption", &ProxySettings::opportunistic_encryption},
    {"origin_error_page_pass_thru", &ProxySettings::origin_error_page_pass_thru},
    {"response_buffering", &ProxySettings::response_buffering},
    {"tls_1_2_only", &ProxySettings::tls_1_2_only},
    {"tls_client_auth", &ProxySettings::tls_client_auth},
    {"true_client_ip_header", &ProxySettings::true_client_ip_header},
    {"websockets", &ProxySettings::websockets},
};
constexpr std::pair<const char*, std::string ProxySettings::*> kWords[] = {
    {"error_page_1xxx", &ProxySettings::error_page_1xxx},
    {"error_page_5xx", &ProxySettings::error_page_5xx},
    {"min_tls_version", &ProxySettings::min_tls_version},
    {"origin_max_http_version", &ProxySettings::origin_max_http_version},
    {"origin_proxy_protocol", &ProxySettings::origin_proxy_protocol},
    {"pseudo_ipv4", &ProxySettings::pseudo_ipv4},
    {"ssl", &ProxySettings::ssl},
    {"tls_1_3", &ProxySettings::tls_1_3},
};
constexpr std::pair<const char*, std::uint32_t ProxySettings::*> kNumbers[] = {
    {"max_upload", &ProxySettings::max_upload_mb},
    {"proxy_read_timeout", &ProxySettings::proxy_read_timeout_s},
};
constexpr std::pair<const char*, bool ProxySettings::*> kSecurityFlags[] = {
    {"enabled", &ProxySettings::hsts},
    {"include_subdomains", &ProxySettings::hsts_subdomains},
    {"preload", &ProxySettings::hsts_preload},
    {"nosniff", &ProxySettings::nosniff},
};

std::uint32_t number_of(const Json& value, std::uint32_t otherwise) {
  if (!value.is_number_unsigned()) return otherwise;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value.get<std::uint64_t>(), 0xffffffffU));
}

void read_security_header(const Json& value, ProxySettings& out) {
  if (!value.is_object()) return;
  const auto policy = value.find("strict_transport_security");
  if (policy == value.end() || !policy->is_object()) return;
  for (const auto& [name, member] : kSecurityFlags) {
    const auto flag = policy->find(name);
    if (flag != policy->end() && flag->is_boolean()) out.*member = flag->get<bool>();
  }
  const auto age = policy->find("max_age");
  if (age != policy->end()) out.hsts_max_age_s = number_of(*age, 0);
}

void read_ciphers(const Json& value, ProxySettings& out) {
  if (!value.is_array()) return;
  for (const Json& item : value) {
    if (item.is_string()) out.ciphers.push_back(item.get<std::string>());
  }
}

void read(const std::string& name, const Json& value, ProxySettings& out) {
  for (const auto& [known, member] : kSwitches) {
    if (name == known && value.is_string()) out.*member = value == "on";
  }
  for (const auto& [known, member] : kWords) {
    if (name == known && value.is_string()) out.*member = value.get<std::string>();
  }
  for (const auto& [known, member] : kNumbers) {
    if (name == known) out.*member = number_of(value, out.*member);
  }
  if (name == "security_header") read_security_header(value, out);
  if (name == "ciphers") read_ciphers(value, out);
}

}  // namespace

ProxySettings proxy_settings(const ZoneSettings& settings) {
  ProxySettings out;
  for (const auto& [name, setting] : settings) {
    read(name, Json::parse(setting.value, nullptr, false), out);
  }
  return out;
}

}  // namespace brink::ctl::model
