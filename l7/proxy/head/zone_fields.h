// ZoneFields: the response fields that a zone's settings ask for, whoever answers: the origin or
// the edge itself. Hot; any thread.
#pragma once

#include <cstdint>

#include "l7/http/field_name.h"
#include "l7/route/settings_layout.h"

namespace brink::l7::proxy {

class ZoneFields {
 public:
  ZoneFields() noexcept = default;
  // `secure`: the client speaks TLS. Without it nothing is said about transport (RFC 6797 7.2).
  ZoneFields(const route::SettingsLayout& settings, bool secure) noexcept
      : flags_(settings.flags & (secure ? kAll : route::kNosniff)),
        max_age_s_(settings.hsts_max_age_s) {}

  // Whether this field is one of them: what the origin says there is not passed on.
  [[nodiscard]] bool replaces(http::FieldName name) const noexcept;
  // Strict-Transport-Security (RFC 6797 6.1), X-Content-Type-Options.
  // The writer is that of HTTP/1 or HTTP/2.
  template <typename Writer>
  void write(Writer& writer) const noexcept;

 private:
  static constexpr std::uint32_t kAll =
      route::kHsts | route::kHstsSubdomains | route::kHstsPreload | route::kNosniff;
  [[nodiscard]] bool has(route::SettingFlags flag) const noexcept { return (flags_ & flag) != 0; }

  std::uint32_t flags_ = 0;
  std::uint32_t max_age_s_ = 0;
};

}  // namespace brink::l7::proxy
