// OriginBooks: what a worker knows of origin addresses, and what may go on there: limits, circuits,
// retry budgets, how long idle connections live, which addresses have failed lately. It knows of no
// connection.
//
// One of a worker, its thread only; it calls nothing of the stage. A record may be kNoIndex: of
// that address nothing is kept, and nothing limits it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "l7/balancer/balancer.h"
#include "l7/http/head.h"
#include "l7/origin/origin_table.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginBooks {
 public:
  // Both outlive it.
  OriginBooks(Turn& turn, std::span<origin::OriginRecord> records) noexcept;

  std::uint32_t find(const base::Endpoint& endpoint) noexcept;
  origin::OriginRecord& operator[](std::uint32_t record) noexcept { return records_[record]; }

  // An index into the exchange's route, but for the bits of `but`; balancer::kNoOrigin: none is
  // left.
  std::size_t choose(const Exchange& exchange, std::uint32_t but) noexcept;

  // Whether the exchange may go there, as a retry if it has failed over; else `why`, if there is
  // something to say.
  bool may_request(const Exchange& exchange, std::uint32_t record, EdgeError& why) noexcept;
  // Whether the circuit lets another connection be made.
  bool may_connect(std::uint32_t record, EdgeError& why) noexcept;

  // The exchange counts for that origin from now on, until discharge().
  void charge(Exchange& exchange, std::uint32_t record) noexcept;
  void discharge(Exchange& exchange) noexcept;
  // Within that: it waits for a connection to be made.
  void begin_pending(Exchange& exchange) noexcept;
  void end_pending(Exchange& exchange) noexcept;

  void note_request(std::uint32_t record) noexcept;
  void note_connected(std::uint32_t record) noexcept;
  // No connection of TCP came to be.
  void note_unconnected(const base::Endpoint& remote, std::uint32_t record,
                        EdgeError error) noexcept;
  // The address did not serve, or did.
  void note_failure(const base::Endpoint& remote) noexcept;
  void note_success(const base::Endpoint& remote) noexcept;
  // The origin has closed a connection that was idle for so long.
  void note_idle_end(std::uint32_t record, base::Duration idle) noexcept;
  // What its response says of that.
  void note_keep_alive(const Exchange& exchange, const http::ResponseHead& response) noexcept;
  base::Duration usable_idle(std::uint32_t record) noexcept;

 private:
  Turn& turn_;
  balancer::PassiveHealth health_;
  origin::OriginTable records_;
};

}  // namespace brink::l7::proxy
