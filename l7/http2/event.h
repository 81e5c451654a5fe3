// Event: what a session tells its owner. Every stream's last event is `closed` or `reset`.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http/verdict.h"
#include "l7/http2/error_code.h"

namespace brink::l7::http2 {

// 31 bits, RFC 9113 5.1.1; 0 names no stream.
using StreamId = std::int32_t;

enum class EventKind : std::uint8_t {
  none,
  request,   // server: `request`; give the stream a tag, then respond
  refused,   // server: a well-formed request that is not served, for `verdict`; answer with
             // status_of(verdict). Its body, if any, is dropped; no event but the last follows.
  response,  // client: `response`, interim (1xx) or final
  body,      // `bytes` of the message; hand their number back with consumed()
  end,       // the message is whole; `trailers`, or null. Not after a head whose body is `none`
  closed,    // both directions have ended
  reset,     // the stream is gone before its time: cancel all that goes on for it
};

enum class ResetCause : std::uint8_t {
  peer,        // RST_STREAM with `code`
  malformed,   // the peer's message broke a rule, `verdict`; we have reset it
  own,         // reset() or a failed body source
  stalled,     // the peer's windows stayed closed for stall_timeout; we have reset it
  connection,  // the connection ended, see Session::end_reason()
};

struct Event {
  EventKind kind = EventKind::none;
  StreamId stream = 0;
  std::uint64_t tag = 0;  // the owner's; 0 until it gave one

  // Borrowed until the next feed() of any session of the same Codec.
  const http::RequestHead* request = nullptr;
  const http::ResponseHead* response = nullptr;
  const http::Fields* trailers = nullptr;
  std::string_view bytes;

  http::Verdict verdict = http::Verdict::ok;
  ResetCause cause = ResetCause::peer;
  ErrorCode code = ErrorCode::no_error;
  // Client: the origin has not looked at the request, so it may be sent again whatever its method
  // (RFC 9113 8.7): REFUSED_STREAM, or above the last stream of a GOAWAY.
  bool retry = false;
};

}  // namespace brink::l7::http2
