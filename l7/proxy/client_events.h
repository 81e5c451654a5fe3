// ClientEvents: what clients' connections say: PROXY headers, TLS handshakes, requests over HTTP/1.
// What is HTTP/2 it hands to ClientStreams.
//
// One of a worker, its thread only. Of the stage it calls ClientConnections, ClientTls,
// ProxyHeaders, ClientStreams, Requests, Relay, Answers, ExchangeLifecycle, ExchangeTimeouts,
// ExchangeLog and TrafficCounts. The client may be gone when any of these functions returns.
#pragma once

#include <cstdint>

#include "dataplane/transport/transport.h"
#include "l7/proxy/client/client_connections.h"
#include "l7/proxy/client/client_tls.h"
#include "l7/proxy/client/proxy_headers.h"
#include "l7/proxy/client_streams.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/exchange_timeouts.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/exchange/requests.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientEvents {
 public:
  struct Uses {
    Clients& clients;
    Exchanges& exchanges;
    ClientConnections& connections;
    ClientTls& client_tls;
    ProxyHeaders& proxy_headers;
    ClientStreams& streams;
    Requests& requests;
    Relay& relay;
    Answers& answers;
    ExchangeLifecycle& lifecycle;
    ExchangeTimeouts& timeouts;
    ExchangeLog& log;
    TrafficCounts& traffic;
  };
  // All outlive it.
  ClientEvents(Turn& turn, const Uses& uses) noexcept;

  void accepted(tcp::ConnectionId id) noexcept;
  void on_event(std::uint32_t c, const transport::Event& event) noexcept;
  // Once a turn: those that may have a request now. One that a turn's end makes ready waits for the
  // next.
  void take_ready() noexcept;
  // Once a sweep, of a client that is there.
  void check(std::uint32_t c) noexcept;

 private:
  void begin(std::uint32_t c) noexcept;
  void on_relay_event(std::uint32_t c, const transport::Event& event) noexcept;
  void read_proxy_header(std::uint32_t c) noexcept;
  void refuse_relay(std::uint32_t c) noexcept;
  void secured(std::uint32_t c) noexcept;
  void security_failed(std::uint32_t c) noexcept;
  void peer_closed(std::uint32_t c, const transport::Event& event) noexcept;
  void read(std::uint32_t c) noexcept;
  void read_request(std::uint32_t x) noexcept;

  Turn& turn_;
  Clients& clients_;
  Exchanges& exchanges_;
  ClientConnections& connections_;
  ClientTls& client_tls_;
  ProxyHeaders& proxy_headers_;
  ClientStreams& streams_;
  Requests& requests_;
  Relay& relay_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
  ExchangeTimeouts& timeouts_;
  ExchangeLog& log_;
  TrafficCounts& traffic_;
  http::RequestHead parsed_;  // that is at hand
};

}  // namespace brink::l7::proxy
