// FieldName: the header fields the edge itself looks at, found once while a head is parsed, so that
// every later stage compares one byte. All other fields are FieldName::other and pass by their
// text.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::http {

enum class FieldName : std::uint8_t {
  other,
  accept_encoding,
  cache_tag,
  cdn_loop,
  cf_cache_status,
  cf_client_cert_der_base64,
  cf_client_cert_sha256,
  cf_connecting_ip,
  cf_connecting_ipv6,
  cf_error_origin,
  cf_error_type,
  cf_ew_via,
  cf_ipcountry,
  cf_pseudo_ipv4,
  cf_ray,
  cf_visitor,
  cf_worker,
  client_cert,
  client_cert_chain,
  cloudflare_cdn_cache_control,
  connection,
  content_length,
  date,
  expect,
  host,
  keep_alive,
  location,
  proxy_authenticate,
  proxy_authentication_info,
  proxy_authorization,
  proxy_connection,
  referer,
  sec_websocket_accept,
  server,
  set_cookie,
  strict_transport_security,
  te,
  trailer,
  transfer_encoding,
  true_client_ip,
  upgrade,
  user_agent,
  x_accel_buffering,
  x_accel_charset,
  x_accel_limit_rate,
  x_accel_redirect,
  x_content_type_options,
  x_forwarded_for,
  x_forwarded_proto,
  x_real_ip,
};
inline constexpr std::size_t kFieldNameCount = static_cast<std::size_t>(FieldName::x_real_ip) + 1;

// The id of a name that consists of token characters only; any case.
FieldName field_name_of(std::string_view name) noexcept;

// As field_name_of, but with '_' read as '-': the way CGI-style origins (RFC 3875 4.1.18) merge
// both spellings. A client must not be able to slip an edge-owned field past us in the other
// spelling.
FieldName field_name_of_cgi_alias(std::string_view name) noexcept;

// Canonical spelling; empty for `other`.
std::string_view text_of(FieldName name) noexcept;

}  // namespace brink::l7::http
