#include "l7/http1/request_parser.h"

#include "l7/http/chars.h"
#include "l7/http/hop_by_hop.h"
#include "l7/http/message_rules.h"
#include "l7/http/scan.h"
#include "l7/http1/framing.h"
#include "l7/http1/head_lines.h"

namespace brink::l7::http1 {
namespace {

using http::Method;
using http::RequestHead;

// "HTTP/" DIGIT "." DIGIT; RFC 9112 2.3.
Verdict take_version(const char*& p, const char* end, http::Version& out) noexcept {
  static constexpr std::string_view kPrefix = "HTTP/";
  for (std::size_t i = 0; i < kPrefix.size(); ++i, ++p) {
    if (p == end) return Verdict::incomplete;
    if (*p != kPrefix[i]) return Verdict::bad_version;
  }
  if (end - p < 3) return Verdict::incomplete;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(p[0]) || p[1] != '.' || !digit(p[2])) return Verdict::bad_version;
  if (p[0] != '1' || p[2] > '1') return Verdict::version_not_supported;
  out = p[2] == '1' ? http::Version::http_1_1 : http::Version::http_1_0;
  p += 3;
  return Verdict::ok;
}

// request-line up to its CRLF; `target` is as sent. RFC 9112 3.
Verdict take_request_line(const char*& p, const char* end, const Limits& limits, RequestHead& out,
                          std::string_view& target) noexcept {
  const char* const base = out.fields.base;
  const char* const method = p;
  p = http::skip_token(p, end);
  const auto method_size = static_cast<std::uint32_t>(p - method);
  if (method_size > 32) return Verdict::bad_request_line;
  if (p == end) return Verdict::incomplete;
  if (method_size == 0 || *p != ' ') {
    return *p == '\n' || *p == '\r' ? Verdict::bare_cr_or_lf : Verdict::bad_request_line;
  }
  out.method_text = {static_cast<std::uint32_t>(method - base), method_size};
  out.method = http::method_of({method, method_size});
  const char* const start = ++p;
  p = http::skip_target(p, end);
  target = {start, static_cast<std::size_t>(p - start)};
  if (target.size() > limits.target_max) return Verdict::target_too_long;
  if (p == end) return Verdict::incomplete;
  if (target.empty()) return Verdict::bad_request_line;
  if (*p != ' ') {
    // "GET /path" CRLF is the HTTP/0.9 form.
    return *p == '\n' ? Verdict::bare_cr_or_lf
                      : (*p == '\r' ? Verdict::bad_request_line : Verdict::bad_target);
  }
  ++p;
  const Verdict version = take_version(p, end, out.version);
  if (version != Verdict::ok) return version;
  return take_crlf(p, end, Verdict::bad_version);
}

// The scheme of an absolute-form target, and its octets with "://".
http::Scheme scheme_of(std::string_view target, std::size_t& size) noexcept {
  const auto begins = [&](std::string_view with) {
    size = with.size();
    return target.size() > size && http::equals_ignoring_case(target.substr(0, size), with);
  };
  if (begins("http://")) return http::Scheme::http;
  if (begins("https://")) return http::Scheme::https;
  return http::Scheme::unsaid;
}

// Splits an absolute-form target and leaves its path and query in out.target. An absolute target
// without a path has "/" (a constant outside the buffer cannot be sliced): it is refused unless the
// authority is followed by '/' or the end; RequestHead then points at the slash before the
// authority.
Verdict take_absolute_form(std::string_view target, RequestHead& out,
                           http::Authority& named) noexcept {
  std::size_t scheme_size = 0;
  out.scheme = scheme_of(target, scheme_size);
  if (out.scheme == http::Scheme::unsaid) return Verdict::bad_target;
  const std::string_view rest = target.substr(scheme_size);
  const std::size_t path = rest.find_first_of("/?");
  if (!http::parse_authority(rest.substr(0, path), named)) return Verdict::host_invalid;
  const char* const base = out.fields.base;
  if (path == std::string_view::npos) {
    const char* const slash = target.data() + scheme_size - 1;
    out.target = {static_cast<std::uint32_t>(slash - base), 1};
    return Verdict::ok;
  }
  if (rest[path] != '/') return Verdict::bad_target;  // "http://host?query" has no path to forward
  out.target = {static_cast<std::uint32_t>(rest.data() + path - base),
                static_cast<std::uint32_t>(rest.size() - path)};
  return Verdict::ok;
}

// The four target forms, RFC 9112 3.2. `named` becomes the authority of an absolute-form target.
Verdict read_target(std::string_view target, RequestHead& out, http::Authority& named) noexcept {
  named.kind = http::HostKind::absent;
  out.scheme = http::Scheme::unsaid;
  if (out.method == Method::connect) return Verdict::method_not_implemented;
  if (target.front() == '/') {
    out.target = {static_cast<std::uint32_t>(target.data() - out.fields.base),
                  static_cast<std::uint32_t>(target.size())};
    return Verdict::ok;
  }
  if (target == "*") {
    if (out.method != Method::options) return Verdict::bad_target;
    out.target = {static_cast<std::uint32_t>(target.data() - out.fields.base), 1};
    return Verdict::ok;
  }
  return take_absolute_form(target, out, named);
}

// RFC 6455 4.1: the opening handshake. Any other upgrade is left alone, as RFC 9110 7.8 allows.
bool asks_for_websocket(const RequestHead& head, const http::ConnectionOptions& options) noexcept {
  if (!options.upgrade || head.method != Method::get || head.version != http::Version::http_1_1 ||
      head.body.kind != http::BodyKind::none) {
    return false;
  }
  const http::Field* const upgrade = head.fields.find(http::FieldName::upgrade);
  return upgrade != nullptr && http::equals_ignoring_case(head.fields.value(*upgrade), "websocket");
}

// What the fields mean, once all of them are known.
Verdict read_semantics(const http::Authority& named, std::uint16_t default_port,
                       RequestHead& out) noexcept {
  Framing framing;
  Verdict verdict = read_framing(out.fields, out.version, framing);
  if (verdict != Verdict::ok) return verdict;
  out.body = {};
  if (framing.chunked) out.body.kind = http::BodyKind::chunked;
  if (framing.has_length && framing.length != 0) {
    out.body = {http::BodyKind::length, framing.length};
  }
  verdict = http::read_host(named, default_port, out);
  if (verdict != Verdict::ok) return verdict;
  const http::ConnectionOptions options = http::mark_hop_by_hop(out.fields);
  if (!options.valid) return Verdict::connection_invalid;
  out.keep_alive = !options.close && (out.version == http::Version::http_1_1 || options.keep_alive);
  out.websocket = asks_for_websocket(out, options);
  return http::read_expect(out);
}

}  // namespace

Verdict parse_request(std::string_view text, const Limits& limits, std::uint16_t default_port,
                      Progress& progress, RequestHead& out, std::uint32_t& head_size) noexcept {
  const bool full = text.size() >= limits.head_max;
  if (full) text = text.substr(0, limits.head_max);
  if (!may_be_complete(text, progress) && !full) return Verdict::incomplete;
  const char* p = text.data();
  const char* const end = p + text.size();
  out.fields.base = p;
  out.fields.count = 0;
  if (p != end && *p == '\r') {
    const Verdict empty_line = take_crlf(p, end, Verdict::bad_request_line);
    if (empty_line != Verdict::ok) return empty_line;
  }
  std::string_view target;
  http::Authority named;
  Verdict verdict = take_request_line(p, end, limits, out, target);
  if (verdict == Verdict::ok) verdict = read_target(target, out, named);
  if (verdict == Verdict::ok) verdict = take_fields(p, end, limits, out.fields);
  if (verdict == Verdict::incomplete && full) return Verdict::head_too_large;
  if (verdict != Verdict::ok) return verdict;
  head_size = static_cast<std::uint32_t>(p - text.data());
  return read_semantics(named, default_port, out);
}

}  // namespace brink::l7::http1
