// ClientStreams: what clients over HTTP/2 say: their sessions, and exchanges that belong to
// streams. What a session has to say is written once a turn, so that many streams share records and
// segments.
//
// One of a worker, its thread only. Of the stage it calls ClientSessions, ClientConnections,
// Requests, Relay, Answers, Trailers, ExchangeLifecycle and ExchangeLog. `c` names a client with a
// session.
#pragma once

#include <cstdint>

#include "dataplane/transport/transport.h"
#include "l7/http2/event.h"
#include "l7/proxy/client/client_connections.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/exchange/requests.h"
#include "l7/proxy/exchange/trailers.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientStreams {
 public:
  struct Uses {
    Clients& clients;
    Exchanges& exchanges;
    ClientConnections& connections;
    ClientSessions& sessions;
    Requests& requests;
    Relay& relay;
    Answers& answers;
    ExchangeLifecycle& lifecycle;
    Trailers& trailers;
    ExchangeLog& log;
  };
  // All outlive it.
  ClientStreams(Turn& turn, const Uses& uses) noexcept;

  // HTTP/2 was agreed on. False: no slot or no memory is left.
  [[nodiscard]] bool open(std::uint32_t c) noexcept;
  // The client may be gone when any of these returns.
  void on_event(std::uint32_t c, const transport::Event& event) noexcept;
  void read(std::uint32_t c) noexcept;
  // Once a sweep.
  void check(std::uint32_t c) noexcept;
  // Once a turn: what all sessions have to say now.
  void flush() noexcept;
  // Resets the connection and everything that was done for it.
  void abort(std::uint32_t c) noexcept;

 private:
  void close(std::uint32_t c) noexcept;
  void flush_session(std::uint32_t c) noexcept;
  void count_end(http2::EndReason reason) noexcept;
  void take_stream_events(std::uint32_t c) noexcept;
  void on_stream_event(std::uint32_t c, const http2::Event& event) noexcept;
  std::uint32_t acquire_stream(std::uint32_t c, const http2::Event& event) noexcept;
  void begin_stream(std::uint32_t c, const http2::Event& event) noexcept;
  void refuse_stream(std::uint32_t c, const http2::Event& event) noexcept;
  void take_body(std::uint32_t c, std::uint32_t x, const http2::Event& event) noexcept;
  void lose_stream(std::uint32_t x, const http2::Event& event) noexcept;

  Turn& turn_;
  Clients& clients_;
  Exchanges& exchanges_;
  ClientConnections& connections_;
  ClientSessions& sessions_;
  Requests& requests_;
  Relay& relay_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
  Trailers& trailers_;
  ExchangeLog& log_;
};

}  // namespace brink::l7::proxy
