// What a zone says about how its proxied names are served: one blob in its table (table_key.h), for
// all its names, so that a change costs the same whatever their number. Rendered by the control side
// (l7/render), read by settings.h. A zone whose settings are all defaults has none.
//
//   OFFSET SIZE  MEANING
//   0      4     magic "BZS1"
//   4      2     layout version, 1
//   6      1     SslMode
//   7      1     least TlsVersion of clients
//   8      4     SettingFlags
//   12     4     seconds of Strict-Transport-Security: max-age
//   16     4     the largest request body, in MB (10^6); 0: no limit
//   20     4     seconds that an origin may take to answer
//   24     1     PseudoIpv4
//   25     1     CipherPolicy
//   26     1     the greatest TlsVersion of clients
//   27     1     the greatest HTTP version to origins: 1 or 2
//   28     1     OriginProxy
//   29     3     zero
#pragma once

#include <cstdint>

namespace brink::l7::route {

inline constexpr std::uint32_t kSettingsMagic = 0x31535a42;  // "BZS1"
inline constexpr std::uint16_t kSettingsLayoutVersion = 1;

// How origins are spoken to.
enum class SslMode : std::uint8_t {
  kOff,         // HTTP, and to clients no HTTPS
  kFlexible,    // HTTP, whatever clients speak
  kFull,        // as clients do; certificates are not looked at
  kStrict,      // as clients do; certificates have to be good
  kOriginPull,  // always HTTPS; certificates have to be good
};
enum class TlsVersion : std::uint8_t { kTls10, kTls11, kTls12, kTls13 };
// Which PROXY header connections to origins begin with.
enum class OriginProxy : std::uint8_t { kOff, kV1, kV2 };
enum class PseudoIpv4 : std::uint8_t { kOff, kAddHeader, kOverwriteHeader };
// Of TLS 1.2: what goes, from the strictest on.
enum class CipherPolicy : std::uint8_t { kModern, kCompatible, kLegacy };

enum SettingFlags : std::uint32_t {
  kAlwaysUseHttps = 1U << 0,
  kHsts = 1U << 1,
  kHstsSubdomains = 1U << 2,
  kHstsPreload = 1U << 3,
  kNosniff = 1U << 4,
  kWebsockets = 1U << 5,
  kHttp2 = 1U << 6,
  kHttp3 = 1U << 7,
  kIpGeolocation = 1U << 8,
  kTrueClientIp = 1U << 9,
  kPassOriginErrors = 1U << 10,
  kBrotli = 1U << 11,
  kOpportunisticEncryption = 1U << 12,
  kHttpsRewrites = 1U << 13,
  kEarlyData = 1U << 14,
  kEarlyHints = 1U << 15,
  kResponseBuffering = 1U << 16,
  kOperatorPull = 1U << 17,  // origins without another are shown the operator's own certificate
  kSettingFlagsKnown = (1U << 18) - 1,
};

struct SettingsLayout {
  std::uint32_t magic = kSettingsMagic;
  std::uint16_t layout_version = kSettingsLayoutVersion;
  SslMode ssl = SslMode::kFull;
  TlsVersion min_tls = TlsVersion::kTls10;
  std::uint32_t flags = kWebsockets | kHttp2 | kHttp3 | kIpGeolocation | kBrotli |
                        kOpportunisticEncryption | kHttpsRewrites;
  std::uint32_t hsts_max_age_s = 0;
  std::uint32_t max_upload_mb = 100;
  std::uint32_t read_timeout_s = 120;
  PseudoIpv4 pseudo_ipv4 = PseudoIpv4::kOff;
  CipherPolicy ciphers = CipherPolicy::kCompatible;
  TlsVersion max_tls = TlsVersion::kTls13;
  std::uint8_t origin_http = 2;
  OriginProxy origin_proxy = OriginProxy::kOff;
  std::uint8_t reserved[3] = {};

  bool operator==(const SettingsLayout&) const = default;
};
static_assert(sizeof(SettingsLayout) == 32);

}  // namespace brink::l7::route
