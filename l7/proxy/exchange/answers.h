// Answers: what the edge answers itself: error pages, redirects to another scheme, what rules say,
// /cdn-cgi/trace. An answer is composed - over HTTP/1 into the turn's scratch buffer, over HTTP/2
// into the session - and then sent, which ends what goes on with the origin.
//
// One of a worker, its thread only. Of the stage it calls ClientOutput, ClientConnections,
// OriginBooks, OriginConnections, ErrorPages, ExchangeLog, TrafficCounts and ExchangeLifecycle.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/proxy/client/client_connections.h"
#include "l7/proxy/client/client_output.h"
#include "l7/proxy/exchange/error_pages.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class Answers {
 public:
  struct Uses {
    const Clients& clients;
    Exchanges& exchanges;
    ClientConnections& connections;
    ClientOutput& output;
    OriginBooks& books;
    OriginConnections& origins;
    ErrorPages& pages;
    ExchangeLog& log;
    TrafficCounts& traffic;
    ExchangeLifecycle& lifecycle;
  };
  // All outlive it.
  Answers(Turn& turn, const Uses& uses) noexcept;

  // An error page, composed and sent. A request whose body was not read to its end closes the
  // connection: what follows on it could be taken for a request.
  void error(std::uint32_t x, EdgeError error) noexcept;
  // No exchange is free: the page goes out if it fits, and the connection ends either way.
  void overload(std::uint32_t c) noexcept;
  void count_error(EdgeError error) noexcept;

  // False: there is no room for it.
  bool compose_answer(std::uint32_t x, const AnswerHead& head, std::string_view body) noexcept;
  void compose_redirect(std::uint32_t x, const http::RequestHead& request,
                        std::string_view scheme) noexcept;
  void compose_trace(std::uint32_t x, const http::RequestHead& request) noexcept;
  // What was composed. The exchange may have ended when this returns.
  void send(std::uint32_t x) noexcept;

 private:
  template <typename WriteHead>
  bool compose(std::uint32_t x, std::string_view body, WriteHead write_head) noexcept;

  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  ClientConnections& connections_;
  ClientOutput& output_;
  OriginBooks& books_;
  OriginConnections& origins_;
  ErrorPages& pages_;
  ExchangeLog& log_;
  TrafficCounts& traffic_;
  ExchangeLifecycle& lifecycle_;
};

}  // namespace brink::l7::proxy
