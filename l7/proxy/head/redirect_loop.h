// Redirects that lead a client back to the same request for ever: the origin wants the other scheme,
// and the zone's settings undo what it wants. A browser says no more than "too many redirects"; the
// edge knows both halves and can say which setting is at odds with the origin.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/route/settings_layout.h"

namespace brink::l7::proxy {

struct RedirectedRequest {
  bool client_secure = false;  // HTTPS to the edge
  bool origin_secure = false;  // and from there
  std::string_view host;       // lower case
  std::string_view target;     // path and query
};

// `head` is the origin's final response to it. Only redirects to the same host and target count, and
// none that sets a cookie, which may well end at the second attempt.
bool is_redirect_loop(const http::ResponseHead& head, const RedirectedRequest& request,
                      const route::SettingsLayout& settings) noexcept;

}  // namespace brink::l7::proxy
