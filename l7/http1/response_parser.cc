#include "l7/http1/response_parser.h"

#include "l7/http/hop_by_hop.h"
#include "l7/http/status.h"
#include "l7/http1/framing.h"
#include "l7/http1/head_lines.h"
#include "l7/http/scan.h"

namespace brink::l7::http1 {
namespace {

using http::BodyKind;
using http::ResponseHead;

// "HTTP/1." ("0" / "1") SP 3DIGIT [SP reason] CRLF. RFC 9112 4 wants the second SP even before an
// empty reason; servers that leave it out are common and leave no doubt.
Verdict take_status_line(const char*& p, const char* end, ResponseHead& out) noexcept {
  static constexpr std::string_view kPrefix = "HTTP/1.";
  for (const char expected : kPrefix) {
    if (p == end) return Verdict::incomplete;
    if (*p++ != expected) return Verdict::bad_status_line;
  }
  if (end - p < 5) return Verdict::incomplete;
  if (p[0] != '0' && p[0] != '1') return Verdict::version_not_supported;
  out.version = p[0] == '1' ? http::Version::http_1_1 : http::Version::http_1_0;
  if (p[1] != ' ') return Verdict::bad_status_line;
  unsigned status = 0;
  for (int i = 2; i < 5; ++i) {
    if (p[i] < '0' || p[i] > '9') return Verdict::bad_status_line;
    status = status * 10 + static_cast<unsigned>(p[i] - '0');
  }
  if (status < 100 || status > 599) return Verdict::bad_status_line;
  out.status = static_cast<std::uint16_t>(status);
  p += 5;
  out.reason = {static_cast<std::uint32_t>(p - out.fields.base), 0};
  if (p == end) return Verdict::incomplete;
  if (*p == ' ') {
    const char* const reason = ++p;
    p = http::skip_value(p, end);
    out.reason = {static_cast<std::uint32_t>(reason - out.fields.base),
                  static_cast<std::uint32_t>(p - reason)};
  }
  return take_crlf(p, end, Verdict::bad_status_line);
}

// RFC 9112 6.3, for responses.
void decide_body(const Framing& framing, http::Method request_method, ResponseHead& out) noexcept {
  out.has_content_length = framing.has_length;
  out.content_length = framing.length;
  out.body = {};
  if (http::forbids_content(out.status) || request_method == http::Method::head) {
    // 1xx and 204 must not announce a body (RFC 9110 8.6): what follows such a head is doubtful.
    const bool announces = framing.chunked || (framing.has_length && framing.length != 0);
    if ((out.status < 200 || out.status == 204) && announces) out.keep_alive = false;
    if (out.status < 200 || out.status == 204) out.has_content_length = false;
    return;
  }
  if (framing.chunked) {
    out.body.kind = BodyKind::chunked;
  } else if (framing.has_length) {
    if (framing.length != 0) out.body = {BodyKind::length, framing.length};
  } else {
    out.body.kind = BodyKind::until_close;
    out.keep_alive = false;
  }
}

}  // namespace

Verdict parse_response(std::string_view text, const Limits& limits, http::Method request_method,
                       Progress& progress, ResponseHead& out, std::uint32_t& head_size) noexcept {
  const bool full = text.size() >= limits.head_max;
  if (full) text = text.substr(0, limits.head_max);
  if (!may_be_complete(text, progress) && !full) return Verdict::incomplete;
  const char* p = text.data();
  const char* const end = p + text.size();
  out.fields.base = p;
  out.fields.count = 0;
  Verdict verdict = take_status_line(p, end, out);
  if (verdict == Verdict::ok) verdict = take_fields(p, end, limits, out.fields);
  if (verdict == Verdict::incomplete && full) return Verdict::head_too_large;
  if (verdict != Verdict::ok) return verdict;
  head_size = static_cast<std::uint32_t>(p - text.data());
  Framing framing;
  verdict = read_framing(out.fields, out.version, framing);
  if (verdict != Verdict::ok) return verdict;
  const http::ConnectionOptions options = http::mark_hop_by_hop(out.fields);
  if (!options.valid) return Verdict::connection_invalid;
  out.keep_alive = !options.close && (out.version == http::Version::http_1_1 || options.keep_alive);
  decide_body(framing, request_method, out);
  return Verdict::ok;
}

}  // namespace brink::l7::http1
