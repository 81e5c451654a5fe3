// OriginAttempts: which origin address gets a request, over which connection, and what the failure
// of an attempt means: another address, the same once more, or an answer.
//
// One of a worker, its thread only. Of the stage it calls OriginBooks, OriginConnections,
// OriginSessions, OriginRaces, OriginTls, Relay, Answers, ExchangeLifecycle and TrafficCounts.
// The exchange may have ended when any of these functions returns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/transport/transport.h"
#include "l7/http2/event.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/origin/origin_races.h"
#include "l7/proxy/origin/origin_sessions.h"
#include "l7/proxy/origin/origin_tls.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginAttempts {
 public:
  struct Uses {
    Exchanges& exchanges;
    OriginBooks& books;
    OriginSessions& origin_sessions;
    OriginConnections& origins;
    OriginRaces& races;
    OriginTls& origin_tls;
    Relay& relay;
    Answers& answers;
    ExchangeLifecycle& lifecycle;
    TrafficCounts& traffic;
  };
  // All outlive it.
  OriginAttempts(Turn& turn, const Uses& uses) noexcept;

  // The request is in the exchange's `out`. Tries the addresses that are left, in the balancer's
  // order, until one may have it; `otherwise` is answered when none may and none says why.
  void start(std::uint32_t x, EdgeError otherwise) noexcept;

  // ---- what the connection says ----

  void connected(std::uint32_t x) noexcept;
  void secured(std::uint32_t x) noexcept;
  void security_failed(std::uint32_t x) noexcept;
  // The origin closed (kPeerClosed: everything it sent was read; the connection is still ours) or
  // the connection is gone (kClosed: exchange.origin is kNoIndex already).
  void ended(std::uint32_t x, const transport::Event& event) noexcept;
  // The stream is gone, before its time; the exchange has left it.
  void stream_lost(std::uint32_t x, const http2::Event& event) noexcept;
  // Waited too long for a connection.
  void timed_out(std::uint32_t x) noexcept;

 private:
  bool use_origin(std::uint32_t x, std::size_t i, EdgeError& why) noexcept;
  void use_pooled(std::uint32_t x, std::uint32_t o) noexcept;
  // To exchange.remote, over a connection of its own.
  void connect(std::uint32_t x) noexcept;
  void secure(std::uint32_t x) noexcept;
  void ready(std::uint32_t x) noexcept;
  void begin_session(std::uint32_t x) noexcept;
  void join(std::uint32_t x, std::uint32_t o) noexcept;
  http2::StreamId open_stream(std::uint32_t x, std::uint32_t o) noexcept;
  void connect_failed(const Exchange& exchange) noexcept;
  void failed(std::uint32_t x, EdgeError error) noexcept;

  Turn& turn_;
  Exchanges& exchanges_;
  OriginBooks& books_;
  OriginSessions& origin_sessions_;
  OriginConnections& origins_;
  OriginRaces& races_;
  OriginTls& origin_tls_;
  Relay& relay_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
  TrafficCounts& traffic_;
};

}  // namespace brink::l7::proxy
