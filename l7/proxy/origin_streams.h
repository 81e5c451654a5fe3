// OriginStreams: what origins over HTTP/2 say: their sessions, each with as many exchanges as it
// has streams.
//
// One of a worker, its thread only. Of the stage it calls OriginConnections, OriginSessions,
// OriginAttempts, ResponseHeads, Trailers, Relay, Answers and ExchangeLifecycle. `o` names a
// connection with a session; it may be gone when any of these functions returns.
#pragma once

#include <cstdint>

#include "dataplane/transport/transport.h"
#include "l7/http2/event.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/origin_attempts.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/exchange/response_heads.h"
#include "l7/proxy/exchange/trailers.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/origin/origin_sessions.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginStreams {
 public:
  struct Uses {
    Exchanges& exchanges;
    OriginConnections& origins;
    OriginSessions& sessions;
    OriginAttempts& attempts;
    ResponseHeads& responses;
    Trailers& trailers;
    Relay& relay;
    Answers& answers;
    ExchangeLifecycle& lifecycle;
  };
  // All outlive it.
  OriginStreams(Turn& turn, const Uses& uses) noexcept;

  void on_event(std::uint32_t o, const transport::Event& event) noexcept;
  // Once a turn: what all sessions have to say now.
  void flush() noexcept;

 private:
  void drop(std::uint32_t o, bool orderly) noexcept;
  void end_streams(std::uint32_t o) noexcept;
  void read(std::uint32_t o) noexcept;
  void flush_session(std::uint32_t o) noexcept;
  void settle(std::uint32_t o) noexcept;
  void take_events(std::uint32_t o) noexcept;
  void on_stream_event(std::uint32_t o, const http2::Event& event) noexcept;
  void take_response(std::uint32_t x, const http2::Event& event) noexcept;
  void take_body(std::uint32_t o, std::uint32_t x, const http2::Event& event) noexcept;
  void end_response(std::uint32_t x, const http2::Event& event) noexcept;

  Turn& turn_;
  Exchanges& exchanges_;
  OriginConnections& origins_;
  OriginSessions& sessions_;
  OriginAttempts& attempts_;
  ResponseHeads& responses_;
  Trailers& trailers_;
  Relay& relay_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
};

}  // namespace brink::l7::proxy
