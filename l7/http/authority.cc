#include "l7/http/authority.h"

#include <cstring>

#include "l7/http/chars.h"

namespace brink::l7::http {
namespace {

bool parse_port(std::string_view text, std::uint16_t& out) noexcept {
  // An empty port ("host:") means the default one, RFC 3986 3.2.3.
  if (text.empty()) {
    out = 0;
    return true;
  }
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > 65535) return false;
  out = static_cast<std::uint16_t>(value);
  return true;
}

bool parse_ipv6_literal(std::string_view text, Authority& out) noexcept {
  const auto address = base::IpAddress::parse(text);
  if (!address) return false;
  const base::IpText canonical = address->text();
  out.kind = HostKind::address;
  out.address = *address;
  out.chars[0] = '[';
  std::memcpy(out.chars.data() + 1, canonical.chars.data(), canonical.size);
  out.chars[canonical.size + 1U] = ']';
  out.size = static_cast<std::uint8_t>(canonical.size + 2);
  return true;
}

bool is_all_digits(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

bool parse_name(std::string_view text, Authority& out) noexcept {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > kHostNameMax) return false;
  std::size_t label_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!has_class(c, kCharHost)) return false;
    if (c == '.') {
      if (i == label_start || i - label_start > kHostLabelMax) return false;
      label_start = i + 1;
    }
    out.chars[i] = to_lower(c);
  }
  const std::string_view last = text_from(text, label_start);
  if (last.empty() || last.size() > kHostLabelMax) return false;
  out.size = static_cast<std::uint8_t>(text.size());
  // A numeric last label is an IPv4 address or nothing: readers disagree about "127.1".
  if (is_all_digits(last) || (last.size() > 1 && last[0] == '0' && (last[1] | 0x20) == 'x')) {
    const auto address = base::IpAddress::parse(text);
    if (!address) return false;
    out.kind = HostKind::address;
    out.address = *address;
    return true;
  }
  out.kind = HostKind::name;
  return true;
}

}  // namespace

bool parse_authority(std::string_view text, Authority& out) noexcept {
  out.kind = HostKind::absent;
  out.port = 0;
  out.size = 0;
  if (text.empty()) return false;
  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, close - 1);
    if (literal.find(':') == std::string_view::npos) return false;
    const std::string_view rest = text_from(text, close + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    if (!rest.empty() && !parse_port(text_from(rest, 1), out.port)) return false;
    return parse_ipv6_literal(literal, out);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    if (!parse_port(text_from(text, colon + 1), out.port)) return false;
    text = text.substr(0, colon);
  }
  return parse_name(text, out);
}

bool same_authority(const Authority& a, const Authority& b, std::uint16_t default_port) noexcept {
  const std::uint16_t port_a = a.port != 0 ? a.port : default_port;
  const std::uint16_t port_b = b.port != 0 ? b.port : default_port;
  return a.kind == b.kind && port_a == port_b && a.host() == b.host();
}

}  // namespace brink::l7::http
