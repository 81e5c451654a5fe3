#include "l7/proxy/head/redirect_loop.h"

#include "l7/http/chars.h"

namespace brink::l7::proxy {
namespace {

bool is_redirect(std::uint16_t status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!http::equals_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// `location` after its scheme names the same host, at its usual port, and the same target.
bool is_same_place(std::string_view location, const RedirectedRequest& request,
                   std::string_view usual_port) noexcept {
  if (!take_prefix(location, request.host)) return false;
  take_prefix(location, usual_port);
  return location == request.target || (location.empty() && request.target == "/");
}

}  // namespace

bool is_redirect_loop(const http::ResponseHead& head, const RedirectedRequest& request,
                      const route::SettingsLayout& settings) noexcept {
  if (!is_redirect(head.status)) return false;
  const http::Field* const field = head.fields.find(http::FieldName::location);
  if (field == nullptr || head.fields.find(http::FieldName::set_cookie) != nullptr) return false;
  std::string_view location = head.fields.value(*field);
  if (take_prefix(location, "https://")) {
    // The client is at HTTPS, or will be, but the origin never sees that.
    const bool hidden = settings.ssl == route::SslMode::kFlexible && !request.origin_secure;
    return hidden && is_same_place(location, request, ":443");
  }
  if (take_prefix(location, "http://")) {
    const bool sent_back = (settings.flags & (route::kAlwaysUseHttps | route::kHsts)) != 0;
    return request.client_secure && sent_back && is_same_place(location, request, ":80");
  }
  return false;
}

}  // namespace brink::l7::proxy
