// OriginConnections: a worker's connections to origins: making them, lending them to exchanges, the
// pool of idle ones, their ends. Which origin gets a request, and what a failure means for it, is
// exchange/origin_attempts.h; here an exchange is told nothing but that its connection is gone.
//
// One of a worker, its thread only. Of the stage it calls OriginBooks and OriginSessions.
#pragma once

#include <cstdint>
#include <span>

#include "l7/origin/idle_pool.h"
#include "l7/origin/source_ports.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_sessions.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/connection_user.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/index_list.h"
#include "l7/proxy/state/origin_connection.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginConnections {
 public:
  struct Memory {
    SlotMemory<OriginConnection> slots;
    std::span<origin::IdlePool::Entry> idle_entries;
    std::span<std::uint32_t> idle_buckets;
    std::span<IndexList::Link> race_links;
  };
  // All outlive it.
  OriginConnections(Turn& turn, Clients& clients, Exchanges& exchanges, OriginBooks& books,
                    OriginSessions& sessions, const Memory& memory) noexcept;

  OriginConnection& operator[](std::uint32_t o) noexcept { return slots_[o]; }
  [[nodiscard]] std::uint32_t used() const noexcept { return slots_.used(); }
  [[nodiscard]] std::uint32_t idle_count() const noexcept { return pool_.size(); }

  // ---- for an exchange ----

  // Which other connections would do as well.
  [[nodiscard]] origin::OriginKey key_of(const Exchange& exchange,
                                         const base::Endpoint& remote) const noexcept;
  // Out of the pool; kNoIndex: there is none that can be used.
  std::uint32_t take_pooled(const origin::OriginKey& key, base::Duration max_idle) noexcept;
  // Of one that was just taken from there.
  [[nodiscard]] base::Time idle_since(std::uint32_t o) const noexcept {
    return pool_.idle_since(o);
  }
  // Whether limits and circuit let another connection be made; else `why`.
  bool may_connect(std::uint32_t record, EdgeError& why) noexcept;
  // Begins to connect. kNoIndex: no slot or no port is left.
  std::uint32_t open(std::uint32_t x, const base::Endpoint& remote) noexcept;
  // The connection is the exchange's from now on, alone.
  void attach(std::uint32_t x, std::uint32_t o) noexcept;
  // The PROXY header, where the zone wants it: the first bytes, before TLS. False: there is no
  // room.
  bool announce_client(const Exchange& exchange) noexcept;
  // The response is whole, or as much of it as there will be: its connection may serve another.
  void release(std::uint32_t x) noexcept;
  // The exchange wants no more of its origin. `orderly`: the connection is between messages.
  void leave(std::uint32_t x, bool orderly) noexcept;
  // Its stream has ended.
  void detach(std::uint32_t x) noexcept;
  // The second connection that is being made for it, if there is one.
  void drop_rival(std::uint32_t x) noexcept;

  // ---- of one connection ----

  // Ends it and forgets it. `orderly`: it is between messages, a FIN will do. It has no streams.
  void drop(std::uint32_t o, bool orderly) noexcept;
  // The connection is gone already; only our books remain.
  void free(std::uint32_t o) noexcept;
  // Has left the pool, for its age or to make room. What goes on over it goes on.
  void retire(std::uint32_t o) noexcept;
  // An idle connection that does anything is of no use: closed by the origin, or out of step.
  void on_idle_event(std::uint32_t o, const transport::Event& event) noexcept;
  void note_connected(std::uint32_t o) noexcept;
  void note_unconnected(std::uint32_t o, EdgeError error) noexcept;

  // ---- over HTTP/2 ----

  http2::ClientSession& session(std::uint32_t o) noexcept { return sessions_.of(slots_[o]); }
  http2::ClientSession& session_of(const Exchange& exchange) noexcept {
    return session(exchange.origin);
  }
  void push_flush(std::uint32_t o) noexcept { sessions_.push_flush(o, slots_[o]); }
  // Puts the connection into the pool while it takes another stream; false: it takes none.
  bool offer(std::uint32_t o) noexcept;
  // It takes no more.
  void withdraw(std::uint32_t o) noexcept { pool_.remove(o); }

  // ---- races (origin_races.h) ----

  // It connects alone until then; all wait equally long.
  void await_race(std::uint32_t o, base::Time at) noexcept;
  // When the first is over; Time::max(): there is none.
  [[nodiscard]] base::Time next_race() const noexcept;
  // The exchange of the first that has waited long enough; kNoIndex: none has.
  std::uint32_t take_race() noexcept;

  // ---- of all ----

  // The client goes: nobody else may use those that are for it alone.
  void drop_of(Client& client) noexcept;
  // Once a sweep: idle ones whose time is over, and the clocks of sessions.
  void sweep() noexcept;

 private:
  [[nodiscard]] bool announces_clients(const Exchange& exchange) const noexcept;
  void close_session(std::uint32_t o) noexcept;

  Turn& turn_;
  Clients& clients_;
  Exchanges& exchanges_;
  OriginBooks& books_;
  OriginSessions& sessions_;
  Slots<OriginConnection> slots_;
  origin::IdlePool pool_;
  origin::SourcePorts ports_;
  IndexList racing_;  // that connect alone, though there is another family, by race_at
};

}  // namespace brink::l7::proxy
