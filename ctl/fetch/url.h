// Url: an http URL taken apart (RFC 3986, RFC 9110 4.2.1). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brink::ctl::fetch {

struct Url {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 80;
  std::string authority;  // for the Host field, as it was written
  std::string target;     // path and query, at least "/"
};

// Empty: it is not http, names a user, or has a port or host that is none. A fragment is left out.
std::optional<Url> parse_url(std::string_view text);

}  // namespace brink::ctl::fetch
