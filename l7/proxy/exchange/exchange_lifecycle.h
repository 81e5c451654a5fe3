// ExchangeLifecycle: how exchanges begin and end, and what their end does to the connections of
// both sides.
//
// One of a worker, its thread only. Of the stage it calls the client's and the origin's connections
// and sessions, OriginBooks, BodyCodings, ExchangeLog and TrafficCounts.
#pragma once

#include <cstdint>

#include "dataplane/ipc/latency.h"
#include "l7/http2/error_code.h"
#include "l7/proxy/client/client_connections.h"
#include "l7/proxy/client/client_output.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ExchangeLifecycle {
 public:
  struct Uses {
    Clients& clients;
    Exchanges& exchanges;
    ClientConnections& connections;
    ClientSessions& sessions;
    ClientOutput& output;
    OriginBooks& books;
    OriginConnections& origins;
    BodyCodings& codings;
    ExchangeLog& log;
    TrafficCounts& traffic;
  };
  // All outlive it.
  ExchangeLifecycle(Turn& turn, const Uses& uses) noexcept;

  // Where the time that requests took is noted; null: nowhere. It outlives this.
  void set_latency(ipc::TurnLatency* latency) noexcept { latency_ = latency; }

  // kNoIndex: none is free.
  std::uint32_t acquire(std::uint32_t c) noexcept;
  // Its origin was left, or has gone.
  void free(std::uint32_t x) noexcept;

  // The response is with the client: its origin may serve another.
  void complete(std::uint32_t x) noexcept;
  // Likewise over HTTP/1: the exchange ends, and its connection goes on or lingers.
  void finish(std::uint32_t x) noexcept;
  // The response cannot be completed. The client must see that: no final chunk, a short body, or a
  // reset where only the close would have marked the end. The exchange ends.
  void cut_short(std::uint32_t x) noexcept;
  // Ends the exchange and its stream.
  void reset_stream(std::uint32_t x, http2::ErrorCode code) noexcept;

  // A client went, or takes nothing any more, with its request unanswered. The exchange goes on.
  void lose_client(std::uint32_t x) noexcept;
  // Waited too long for the client to take its answer: the exchange ends.
  void give_up_client(std::uint32_t x) noexcept;
  // Leaves the origin and frees, where there is an exchange.
  void abandon(std::uint32_t x) noexcept;
  // Resets a client over HTTP/1 and everything that was done for it.
  void abort_client(std::uint32_t c) noexcept;

 private:
  Turn& turn_;
  ipc::TurnLatency* latency_ = nullptr;
  Clients& clients_;
  Exchanges& exchanges_;
  ClientConnections& connections_;
  ClientSessions& sessions_;
  ClientOutput& output_;
  OriginBooks& books_;
  OriginConnections& origins_;
  BodyCodings& codings_;
  ExchangeLog& log_;
  TrafficCounts& traffic_;
};

}  // namespace brink::l7::proxy
