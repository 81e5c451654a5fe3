// EdgeError: every answer that the edge makes itself, with its status and its page. A page says
// what happened and gives the ray id; it never names an origin's address.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http1/head_writer.h"
#include "l7/http/verdict.h"

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
  prohibited_address,  // 1000: loop, or an origin that is this edge
  unknown_host,        // 1001
  direct_address,      // 1003
  no_origin,           // 1016
  blocked,             // 1020: by a rule of the zone
  origin_malformed,    // 520
  origin_refused,      // 521
  origin_timeout,      // 522
  origin_unreachable,  // 523
  origin_silent,       // 524
};
inline constexpr std::size_t kEdgeErrorCount =
    static_cast<std::size_t>(EdgeError::origin_silent) + 1;

struct EdgeErrorInfo {
  std::uint16_t status;
  std::uint16_t type;  // cf-error-type: the four-digit code where there is one, else the status
  bool origin_fault;   // cf-error-origin: "origin" or "edge"
  std::string_view text;
};
const EdgeErrorInfo& info_of(EdgeError error) noexcept;

// The error for a request head that the parser refused.
EdgeError error_of(http::Verdict verdict) noexcept;

// How an answer leaves the connection.
enum class ConnectionField : std::uint8_t { none, close, keep_alive };

struct AnswerContext {
  std::string_view ray;   // CF-Ray
  std::string_view date;  // IMF-fixdate
  ConnectionField connection = ConnectionField::close;
  bool head_only = false;  // the request was HEAD: same head, no page
};

// Writes the whole response: head and page.
void write_edge_error(http1::HeadWriter& writer, EdgeError error,
                      const AnswerContext& context) noexcept;
// Writes a whole response of this status and media type around `body`.
void write_answer(http1::HeadWriter& writer, std::uint16_t status, std::string_view type,
                  std::string_view body, const AnswerContext& context) noexcept;
// Writes a whole 200 text/plain response around `body`.
void write_plain_text(http1::HeadWriter& writer, std::string_view body,
                      const AnswerContext& context) noexcept;

}  // namespace brink::l7::proxy
