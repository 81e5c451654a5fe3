// EdgeError: every answer that the edge makes itself, with its status and its page. A page says
// what happened and gives the ray id; it never names an origin's address.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/tcp/types.h"
#include "l7/http/verdict.h"
#include "l7/http1/head_writer.h"
#include "l7/http2/head_writer.h"
#include "l7/proxy/head/zone_fields.h"

namespace brink::l7::proxy {

enum class EdgeError : std::uint8_t {
  bad_request,
  not_found,
  method_not_allowed,
  request_timeout,
  content_too_large,
  target_too_long,
  expectation_failed,
  fields_too_large,
  internal,
  not_implemented,
  overloaded,
  version_not_supported,
  redirect_loop,       // 508: the origin asks for the scheme that a setting takes away
  prohibited_address,  // 1000: loop, or an origin that is this edge
  unknown_host,        // 1001
  direct_address,      // 1003
  misdirected,         // 1013: asked for under the certificate of another zone
  no_origin,           // 1016
  blocked,             // 1020: by a rule of the zone
  origin_busy,         // 1200: as much goes on at the origin as may
  origin_malformed,    // 520
  origin_refused,      // 521
  origin_timeout,      // 522
  origin_unreachable,  // 523
  origin_silent,       // 524
  origin_tls,          // 525
  origin_certificate,  // 526
};
inline constexpr std::size_t kEdgeErrorCount =
    static_cast<std::size_t>(EdgeError::origin_certificate) + 1;

struct EdgeErrorInfo {
  std::uint16_t status;
  std::uint16_t type;  // cf-error-type: the four-digit code where there is one, else the status
  bool origin_fault;   // cf-error-origin: "origin" or "edge"
  std::string_view text;
};
const EdgeErrorInfo& info_of(EdgeError error) noexcept;

// The error for a connection to an origin that did not come to be.
EdgeError connect_error(tcp::CloseReason reason) noexcept;

// The error for a request head that the parser refused.
EdgeError error_of(http::Verdict verdict) noexcept;

// How an answer leaves the connection.
enum class ConnectionField : std::uint8_t { none, close, keep_alive };

struct AnswerContext {
  std::string_view ray;   // CF-Ray
  std::string_view date;  // IMF-fixdate
  ConnectionField connection = ConnectionField::close;
  ZoneFields zone = {};    // none where the request's zone is not known
};

// The page of an error.
class ErrorPage {
 public:
  ErrorPage(EdgeError error, std::string_view ray) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 1024> text_;
  std::size_t size_;
};

// Heads of the edge's own answers, for a body of `body_size` bytes. The writer is that of HTTP/1 or
// HTTP/2.
template <typename Writer>
void write_error_head(Writer& writer, EdgeError error, std::size_t body_size,
                      const AnswerContext& context) noexcept;
// A 301 to `scheme`://`host``target`, without a body.
struct Redirect {
  std::string_view scheme;
  std::string_view host;
  std::string_view target;
};
template <typename Writer>
void write_redirect_head(Writer& writer, const Redirect& to, const AnswerContext& context) noexcept;
// Any other.
struct AnswerHead {
  std::uint16_t status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::size_t body_size = 0;
};
template <typename Writer>
void write_answer_head(Writer& writer, const AnswerHead& head,
                       const AnswerContext& context) noexcept;

}  // namespace brink::l7::proxy
