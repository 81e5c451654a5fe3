#include "l7/proxy/head/edge_error.h"

#include <array>

#include "l7/http/status.h"

namespace brink::l7::proxy {
namespace {

constexpr std::array<EdgeErrorInfo, kEdgeErrorCount> kErrors = {{
    {400, 400, false, "The request could not be understood."},
    {404, 404, false, "There is nothing at this address of the edge."},
    {405, 405, false, "This method is not served here."},
    {408, 408, false, "The request did not arrive in time."},
    {413, 413, false, "The request body is larger than this edge accepts."},
    {414, 414, false, "The address of the request is too long."},
    {417, 417, false, "The expectation of the request cannot be met."},
    {431, 431, false, "The header fields of the request are too large."},
    {500, 500, false, "The edge could not handle this request."},
    {501, 501, false, "The request uses something that is not implemented here."},
    {503, 503, false, "The edge is busy. Please try again shortly."},
    {505, 505, false, "This HTTP version is not supported."},
    {508, 508, false,
     "The origin redirects to the address that was asked for, with another scheme, and the zone's SSL "
     "settings lead back here. Setting the zone's SSL mode to full, or ending the redirect at the "
     "origin, ends the loop."},
    {403, 1000, false, "The request leads back to the edge, or may not be sent on."},
    {409, 1001, false, "This host is not served by this edge."},
    {403, 1003, false, "Hosts are served by name here, not by address."},
    {421, 1013, false, "This host is not served on a connection that was made for another."},
    {530, 1016, false, "No address is known for the origin of this host."},
    {403, 1020, false, "A rule of this site does not let this request through."},
    {530, 1200, false, "Too many requests wait for the origin of this host. Please try again shortly."},
    {520, 520, true, "The origin answered with something that could not be understood."},
    {521, 521, true, "The origin refused the connection."},
    {522, 522, true, "The origin did not accept the connection or the request in time."},
    {523, 523, true, "The origin cannot be reached."},
    {524, 524, true, "The origin accepted the request but did not answer in time."},
    {525, 525, true, "The origin and the edge could not agree on an encrypted connection."},
    {526, 526, true, "The origin has no certificate that this edge may trust."},
}};

// HeadWriter is a plain bounded text writer; the page is text too.
void write_page(http1::HeadWriter& page, const EdgeErrorInfo& info, std::string_view ray) noexcept {
  page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
  page.number(info.type);
  page.raw(" ");
  page.raw(http::reason_of(info.status));
  page.raw("</title></head>\n<body><h1>Error ");
  page.number(info.type);
  page.raw("</h1><p>");
  page.raw(info.text);
  page.raw("</p><p>Ray ID: ");
  page.raw(ray);
  page.raw("</p></body></html>\n");
}

template <typename Writer>
void write_connection(Writer& writer, ConnectionField connection) noexcept {
  switch (connection) {
    case ConnectionField::none:
      break;
    case ConnectionField::close:
      writer.field("Connection", "close");
      break;
    case ConnectionField::keep_alive:
      writer.field("Connection", "keep-alive");
      break;
  }
}

template <typename Writer>
void write_common(Writer& writer, std::string_view type, std::size_t body_size,
                  const AnswerContext& context) noexcept {
  writer.field("Date", context.date);
  writer.field("Content-Type", type);
  writer.field("Content-Length", body_size);
  write_connection(writer, context.connection);
  writer.field("Cache-Control", "no-store");
  context.zone.write(writer);
  writer.field("Server", "brink");
  writer.field("CF-Ray", context.ray);
}

}  // namespace

const EdgeErrorInfo& info_of(EdgeError error) noexcept {
  return kErrors[static_cast<std::size_t>(error)];
}

EdgeError connect_error(tcp::CloseReason reason) noexcept {
  switch (reason) {
    case tcp::CloseReason::kRefused:
    case tcp::CloseReason::kResetByPeer:
      return EdgeError::origin_refused;
    case tcp::CloseReason::kUnreachable:
      return EdgeError::origin_unreachable;
    case tcp::CloseReason::kConnectTimeout:
    case tcp::CloseReason::kUserTimeout:
    case tcp::CloseReason::kIdleTimeout:
    case tcp::CloseReason::kNormal:
    case tcp::CloseReason::kAborted:
      return EdgeError::origin_timeout;
  }
  return EdgeError::origin_timeout;
}

EdgeError error_of(http::Verdict verdict) noexcept {
  switch (http::status_of(verdict)) {
    case 414:
      return EdgeError::target_too_long;
    case 417:
      return EdgeError::expectation_failed;
    case 431:
      return EdgeError::fields_too_large;
    case 501:
      return EdgeError::not_implemented;
    case 505:
      return EdgeError::version_not_supported;
    default:
      return EdgeError::bad_request;
  }
}

ErrorPage::ErrorPage(EdgeError error, std::string_view ray) noexcept {
  http1::HeadWriter page(text_);
  write_page(page, info_of(error), ray);
  size_ = page.size();
}

template <typename Writer>
void write_error_head(Writer& writer, EdgeError error, std::size_t body_size,
                      const AnswerContext& context) noexcept {
  const EdgeErrorInfo& info = info_of(error);
  writer.status_line(info.status, http::reason_of(info.status));
  write_common(writer, "text/html; charset=utf-8", body_size, context);
  writer.field("cf-error-type", info.type);
  writer.field("cf-error-origin", info.origin_fault ? "origin" : "edge");
  writer.end_head();
}

template <typename Writer>
void write_redirect_head(Writer& writer, const Redirect& to,
                         const AnswerContext& context) noexcept {
  writer.status_line(301, http::reason_of(301));
  writer.begin_field("Location");
  writer.raw(to.scheme);
  writer.raw("://");
  writer.raw(to.host);
  writer.raw(to.target);
  writer.end_field();
  write_common(writer, "text/plain; charset=utf-8", 0, context);
  writer.end_head();
}

template <typename Writer>
void write_answer_head(Writer& writer, const AnswerHead& head,
                       const AnswerContext& context) noexcept {
  writer.status_line(head.status, http::reason_of(head.status));
  write_common(writer, head.content_type, head.body_size, context);
  writer.end_head();
}

template void write_error_head(http1::HeadWriter&, EdgeError, std::size_t,
                               const AnswerContext&) noexcept;
template void write_error_head(http2::HeadWriter&, EdgeError, std::size_t,
                               const AnswerContext&) noexcept;
template void write_redirect_head(http1::HeadWriter&, const Redirect&,
                                  const AnswerContext&) noexcept;
template void write_redirect_head(http2::HeadWriter&, const Redirect&,
                                  const AnswerContext&) noexcept;
template void write_answer_head(http1::HeadWriter&, const AnswerHead&,
                                const AnswerContext&) noexcept;
template void write_answer_head(http2::HeadWriter&, const AnswerHead&,
                                const AnswerContext&) noexcept;

}  // namespace brink::l7::proxy
