// Stage: the L7 stage of one worker. It takes the TCP stack's events, reads requests, finds their
// route in the snapshot, drives them to origins and back, and enforces every timeout. Clients speak
// HTTP/1, or HTTP/2 where TLS agreed on it.
//
// The worker's turn:
//     for each TCP packet:  stack.receive(...);
//     stack.advance(now);
//     stage.run(view, now);          // drains stack.next_event()
//     while (room) stack.next_segment(...)
//
// The stage itself only owns its parts, hands events to them and says when to look at timeouts; who
// of them may call whom is the order in which they are declared here (README.md).
//
// One thread; nothing is shared. It owns every connection of its stack. It allocates nothing, calls
// no clock and blocks nowhere; all of its memory is the arena given at construction. Nothing of the
// snapshot is kept beyond run(): a request copies its route.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/ipc/latency.h"
#include "dataplane/ipc/traffic.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/transport/transport.h"
#include "l7/proxy/client/client_connections.h"
#include "l7/proxy/client/client_output.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/client/client_tls.h"
#include "l7/proxy/client/proxy_headers.h"
#include "l7/proxy/client_events.h"
#include "l7/proxy/client_streams.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/exchange/body_sources.h"
#include "l7/proxy/exchange/error_pages.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/exchange_timeouts.h"
#include "l7/proxy/exchange/origin_attempts.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/exchange/requests.h"
#include "l7/proxy/exchange/response_heads.h"
#include "l7/proxy/exchange/trailers.h"
#include "l7/proxy/exchange/zone_rules.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/origin/origin_races.h"
#include "l7/proxy/origin/origin_sessions.h"
#include "l7/proxy/origin/origin_tls.h"
#include "l7/proxy/origin_events.h"
#include "l7/proxy/origin_streams.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/stage_memory.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/stage_config.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class Stage {
 public:
  // Bytes of memory a stage of this configuration needs, aligned to 64.
  static std::size_t memory_size(const StageConfig& config) noexcept;

  // `memory` (at least memory_size(config) bytes, 64-byte aligned), `transport`, `counters` and
  // what `config` borrows outlive the stage.
  Stage(const StageConfig& config, std::span<std::byte> memory, transport::Transport& transport,
        ipc::WorkerCounters& counters) noexcept;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // One turn: events, requests, timeouts. `view` is used during the call only.
  void run(const snapshot::View& view, base::Time now) noexcept;

  // When run() must be called at the latest although no packet came; Time::max() when idle.
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Unix time minus base::Time's epoch; call when the wall clock was stepped.
  void set_wall_offset(base::Duration offset) noexcept { turn_.config.wall_offset = offset; }

  // Where the time that requests took is noted; null: nowhere. It outlives the stage.
  void set_latency(ipc::TurnLatency* latency) noexcept { lifecycle_.set_latency(latency); }

  // Where zones and origins are counted; null: nowhere. They outlive the stage.
  void set_traffic(ipc::TrafficTables* traffic) noexcept { traffic_.set_tables(traffic); }

  // From now on every response ends its connection and idle connections are closed. The caller
  // stops the stack's accepting and waits for client_count() == 0.
  void drain() noexcept { turn_.draining = true; }

  [[nodiscard]] std::uint32_t client_count() const noexcept { return clients_.used(); }
  [[nodiscard]] std::uint32_t exchange_count() const noexcept { return exchanges_.used(); }
  [[nodiscard]] std::uint32_t origin_count() const noexcept { return origins_.used(); }
  [[nodiscard]] std::uint32_t idle_origin_count() const noexcept { return origins_.idle_count(); }

 private:
  Stage(const StageConfig& config, const StageMemory& memory, transport::Transport& transport,
        ipc::WorkerCounters& counters) noexcept;

  void begin_turn(const snapshot::View& view, base::Time now) noexcept;
  void end_turn() noexcept;
  void on_event(const transport::Event& event) noexcept;
  void sweep() noexcept;

  // What goes on.
  Turn turn_;
  Clients clients_;
  Exchanges exchanges_;
  base::Time next_sweep_{};

  // What is told of it.
  ExchangeLog log_;
  TrafficCounts traffic_;

  // Origins.
  OriginBooks books_;
  OriginTls origin_tls_;
  OriginSessions origin_sessions_;
  OriginConnections origins_;
  OriginRaces races_;

  // Clients.
  ClientTls client_tls_;
  ProxyHeaders proxy_headers_;
  ClientSessions sessions_;
  ClientConnections connections_;
  ClientOutput output_;

  // Exchanges between them.
  BodySources bodies_;
  BodyCodings codings_;
  Trailers trailers_;
  ZoneRules rules_;
  ErrorPages pages_;
  ExchangeLifecycle lifecycle_;
  Answers answers_;
  ResponseHeads responses_;
  Relay relay_;
  OriginAttempts attempts_;
  Requests requests_;
  ExchangeTimeouts timeouts_;

  // Who hears what connections say.
  ClientStreams client_streams_;
  ClientEvents client_events_;
  OriginStreams origin_streams_;
  OriginEvents origin_events_;
};

}  // namespace brink::l7::proxy
