#include "ctl/fetch/url.h"

#include <algorithm>
#include <charconv>

namespace brink::ctl::fetch {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kUrlMax = 2048;

bool is_visible(char c) {
  return c > 0x20 && c < 0x7f;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlMax || !text.starts_with(kScheme) ||
      !std::all_of(text.begin(), text.end(), is_visible)) {
    return std::nullopt;
  }
  text.remove_prefix(kScheme.size());
  text = text.substr(0, text.find('#'));
  const std::size_t path = std::min(text.find('/'), text.find('?'));
  const std::string_view authority = text.substr(0, path);
  Url url;
  url.authority = authority;
  url.target = path == std::string_view::npos ? "/" : std::string(text.substr(path));
  if (url.target[0] == '?') url.target.insert(0, "/");
  if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;

  std::string_view host = authority, port;
  const bool is_literal = authority[0] == '[';
  const std::size_t end = is_literal ? authority.find(']') : authority.find(':');
  if (is_literal) {
    if (end == std::string_view::npos) return std::nullopt;
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && port[0] != ':') return std::nullopt;
  } else if (end != std::string_view::npos) {
    host = authority.substr(0, end);
    port = authority.substr(end);
  }
  url.host = host;
  if (url.host.empty()) return std::nullopt;
  if (port.size() <= 1) return url;  // RFC 3986 3.2.3: an empty one is the usual one
  const auto number = parse_port(port.substr(1));
  if (!number) return std::nullopt;
  url.port = *number;
  return url;
}

}  // namespace brink::ctl::fetch
