// ProxySettings: what a zone's settings (ZoneSettings) mean to the proxy. What nobody has set has its
// default here, as ctl/api shows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/model/zone.h"

namespace brink::ctl::model {

struct ProxySettings {
  // Words as the API has them.
  std::string ssl = "full";
  std::string min_tls_version = "1.0";
  // The API shows "off" for what nobody has set; TLS 1.3 is left out only where somebody did.
  std::string tls_1_3 = "on";
  std::string pseudo_ipv4 = "off";
  std::string origin_max_http_version = "2";
  std::string origin_proxy_protocol = "off";
  std::vector<std::string> ciphers;  // empty: all that are sensible

  bool always_use_https = false;
  bool websockets = true, http2 = true, http3 = true;
  bool ip_geolocation = true, true_client_ip_header = false;
  bool origin_error_page_pass_thru = false;
  bool brotli = true, response_buffering = false, early_hints = false, early_data = false;
  bool opportunistic_encryption = true, automatic_https_rewrites = true;
  bool tls_client_auth = false;  // origins are shown the operator's own certificate
  bool tls_1_2_only = false;

  // security_header
  bool hsts = false, hsts_subdomains = false, hsts_preload = false, nosniff = false;
  std::uint32_t hsts_max_age_s = 0;

  // Pages for errors of the edge (l7/page); empty: none.
  std::string error_page_1xxx, error_page_5xx;

  std::uint32_t max_upload_mb = 100;
  std::uint32_t proxy_read_timeout_s = 120;

  bool operator==(const ProxySettings&) const = default;

  // Otherwise whoever comes by HTTPS is sent to HTTP.
  [[nodiscard]] bool serves_https() const { return ssl != "off"; }
};

// A value that cannot be read counts as not set.
ProxySettings proxy_settings(const ZoneSettings& settings);

}  // namespace brink::ctl::model
