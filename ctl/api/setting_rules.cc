#include "ctl/api/setting_rules.h"

#include <algorithm>
#include <optional>

#include "l7/page/page.h"

namespace brink::ctl::api {
namespace {

constexpr std::string_view kSwitch = "off on";
constexpr std::string_view kBrowserCacheTtls =
    "0 30 60 120 300 1200 1800 3600 7200 10800 14400 18000 28800 43200 57600 72000 86400 172800 "
    "259200 345600 432000 691200 1382400 2073600 2678400 5356800 16070400 31536000";
constexpr std::string_view kEdgeCacheTtls =
    "30 60 300 1200 1800 3600 7200 10800 14400 18000 28800 43200 57600 72000 86400 172800 259200 "
    "345600 432000 518400 604800";
constexpr std::string_view kChallengeTtls =
    "300 900 1800 2700 3600 7200 10800 14400 28800 57600 86400 604800 2592000 31536000";
constexpr char kNoSecurityHeader[] =
    R"({"strict_transport_security":{"enabled":false,"max_age":0,"include_subdomains":false,)"
    R"("preload":false,"nosniff":false}})";

constexpr SettingRule a_switch(const char* name, bool is_on) {
  return {name, SettingKind::kOneOf, is_on ? "\"on\"" : "\"off\"", kSwitch};
}
constexpr SettingRule one_of(const char* name, const char* initial, std::string_view choices) {
  return {name, SettingKind::kOneOf, initial, choices};
}
constexpr SettingRule number_of(const char* name, const char* initial, std::string_view choices) {
  return {name, SettingKind::kNumberOneOf, initial, choices};
}
constexpr SettingRule number(const char* name, const char* initial, std::uint32_t min,
                             std::uint32_t max) {
  return {name, SettingKind::kNumber, initial, {}, min, max};
}
constexpr SettingRule fixed(const char* name, const char* initial) {
  return {name, SettingKind::kOneOf, initial, kSwitch, 0, 0, false};
}

constexpr SettingRule kRules[] = {
    a_switch("0rtt", false),
    fixed("advanced_ddos", "\"on\""),
    a_switch("always_online", true),
    a_switch("always_use_https", false),
    a_switch("automatic_https_rewrites", true),
    a_switch("brotli", true),
    number_of("browser_cache_ttl", "14400", kBrowserCacheTtls),
    a_switch("browser_check", true),
    one_of("cache_level", "\"aggressive\"", "aggressive basic simplified"),
    number_of("challenge_ttl", "1800", kChallengeTtls),
    {"ciphers", SettingKind::kTexts, "[]", {}},
    one_of("cname_flattening", "\"flatten_at_root\"", "flatten_at_root flatten_all"),
    a_switch("development_mode", false),
    a_switch("early_hints", false),
    number_of("edge_cache_ttl", "7200", kEdgeCacheTtls),
    a_switch("email_obfuscation", true),
    {"error_page_1xxx", SettingKind::kPage, "\"\"", {}},
    {"error_page_5xx", SettingKind::kPage, "\"\"", {}},
    one_of("h2_prioritization", "\"off\"", "on off custom"),
    a_switch("hotlink_protection", false),
    a_switch("http2", true),
    a_switch("http3", true),
    one_of("image_resizing", "\"off\"", "on off open"),
    a_switch("ip_geolocation", true),
    a_switch("ipv6", true),
    number("max_upload", "100", 1, 5000),
    one_of("min_tls_version", "\"1.0\"", "1.0 1.1 1.2 1.3"),
    a_switch("mirage", false),
    a_switch("opportunistic_encryption", true),
    a_switch("opportunistic_onion", true),
    a_switch("orange_to_orange", false),
    a_switch("origin_error_page_pass_thru", false),
    one_of("origin_max_http_version", "\"2\"", "1 2"),
    // Brink's own: which PROXY header connections to origins begin with.
    one_of("origin_proxy_protocol", "\"off\"", "off v1 v2"),
    one_of("polish", "\"off\"", "off lossless lossy"),
    a_switch("prefetch_preload", false),
    a_switch("privacy_pass", true),
    number("proxy_read_timeout", "120", 1, 6000),
    one_of("pseudo_ipv4", "\"off\"", "off add_header overwrite_header"),
    a_switch("replace_insecure_js", true),
    a_switch("response_buffering", false),
    a_switch("rocket_loader", false),
    {"security_header", SettingKind::kSecurityHeader, kNoSecurityHeader, {}},
    one_of("security_level", "\"medium\"", "off essentially_off low medium high under_attack"),
    a_switch("server_side_exclude", true),
    a_switch("sha1_support", false),
    a_switch("sort_query_string_for_cache", false),
    one_of("ssl", "\"full\"", "off flexible full strict origin_pull"),
    a_switch("tls_1_2_only", false),
    one_of("tls_1_3", "\"off\"", "on off zrt"),
    a_switch("tls_client_auth", false),
    a_switch("true_client_ip_header", false),
    a_switch("waf", false),
    a_switch("webp", false),
    a_switch("websockets", true),
};

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::string_view choice = choices.substr(0, choices.find(' '));
    if (choice == text) return true;
    choices.remove_prefix(std::min(choice.size() + 1, choices.size()));
  }
  return false;
}

// Not a fraction, not negative.
bool is_whole(const Json& value) {
  return value.is_number_unsigned();
}

bool is_security_header(const Json& value) {
  if (!value.is_object() || value.size() != 1) return false;
  const auto policy = value.find("strict_transport_security");
  if (policy == value.end() || !policy->is_object()) return false;
  return std::all_of(policy->items().begin(), policy->items().end(), [](const auto& member) {
    static constexpr const char* kFlags[] = {"enabled", "include_subdomains", "preload", "nosniff"};
    if (member.key() == "max_age") return is_whole(member.value());
    const bool is_flag = std::any_of(std::begin(kFlags), std::end(kFlags),
                                     [&](const char* flag) { return member.key() == flag; });
    return is_flag && member.value().is_boolean();
  });
}

bool is_array_of_texts(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) {
           return item.is_string() && item.get_ref<const std::string&>().size() <= 100;
         });
}

std::string page_fault(const Json& value) {
  if (!value.is_string()) return "it must be a string";
  const auto& text = value.get_ref<const std::string&>();
  const auto fault = text.empty() ? std::nullopt : l7::page::page_fault(text);
  return fault ? fault->what + "; " + fault->remedy : "";
}

}  // namespace

std::span<const SettingRule> setting_rules() {
  return kRules;
}

const SettingRule* setting_rule(std::string_view name) {
  for (const SettingRule& rule : kRules) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

std::string setting_fault(const SettingRule& rule, const Json& value) {
  switch (rule.kind) {
    case SettingKind::kOneOf:
      if (value.is_string() && is_choice(rule.choices, value.get_ref<const std::string&>())) {
        return {};
      }
      return "it must be one of: " + std::string(rule.choices);
    case SettingKind::kNumberOneOf:
      if (is_whole(value) && is_choice(rule.choices, std::to_string(value.get<std::uint64_t>()))) {
        return {};
      }
      return "it must be one of the numbers: " + std::string(rule.choices);
    case SettingKind::kNumber:
      if (is_whole(value) && value.get<std::uint64_t>() >= rule.min &&
          value.get<std::uint64_t>() <= rule.max) {
        return {};
      }
      return "it must be a whole number from " + std::to_string(rule.min) + " to " +
             std::to_string(rule.max);
    case SettingKind::kTexts:
      return is_array_of_texts(value) ? "" : "it must be an array of strings";
    case SettingKind::kPage:
      return page_fault(value);
    case SettingKind::kSecurityHeader:
      if (is_security_header(value)) return {};
      return "it must be {\"strict_transport_security\":{enabled, max_age, include_subdomains, "
             "preload, nosniff}}";
  }
  return {};
}

}  // namespace brink::ctl::api
