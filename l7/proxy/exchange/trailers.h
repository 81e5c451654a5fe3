// Trailers: fields behind a body, kept from when they come on a stream until the body before them
// is out (RFC 9110 6.5). To a session they go as fields, behind chunks as lines. What may not stand
// there is left out, and so is what there is no room for.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http2/head_writer.h"
#include "l7/proxy/state/exchanges.h"

namespace brink::l7::proxy {

class Trailers {
 public:
  explicit Trailers(Exchanges& exchanges) noexcept : exchanges_(exchanges) {}

  // Of a response, whose head has gone to the client. Kept where nothing is any more: for a stream
  // in `in`, for a client over HTTP/1 in `out`.
  void keep_response(std::uint32_t x, const http::Fields& trailers) noexcept;
  // For a client's session, until the next call.
  const http2::HeadWriter* write(std::uint32_t x) noexcept;
  // For a client over HTTP/1: the lines, with the empty one.
  [[nodiscard]] std::string_view response_lines(std::uint32_t x) noexcept;

  // Of a request, whose head is in `out`: kept behind it and what rules have to know of it.
  void keep_request(std::uint32_t x, const http::Fields& trailers) noexcept;
  // For an origin over HTTP/1: of the lines what is not sent yet.
  [[nodiscard]] std::string_view request_lines(std::uint32_t x) noexcept;
  // For an origin's session, until the next call; null: there are none, or no room for all.
  const http2::HeadWriter* write_request(std::uint32_t x) noexcept;

 private:
  void keep_fields(std::uint32_t x, const http::Fields& trailers) noexcept;

  Exchanges& exchanges_;
  std::optional<http2::HeadWriter> writer_;  // that a session is about to take
};

}  // namespace brink::l7::proxy
