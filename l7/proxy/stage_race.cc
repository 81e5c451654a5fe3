// Origins with addresses of both families (RFC 8305 5): when the first connection takes its time,
// one of the other family is made beside it, and the first that stands has the request. Two at
// most; once one of them stands it is as if there had been no other.
#include <algorithm>

#include "l7/proxy/stage.h"

namespace brink::l7::proxy {

// The route's addresses of one family, as in Exchange::tried.
std::uint32_t Stage::of_family(const Exchange& exchange, bool v4) const noexcept {
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < exchange.route.origin_count; ++i) {
    if (exchange.route.origins[i].address.is_v4() == v4) found |= 1U << i;
  }
  return found;
}

// The connection of an exchange has just begun; all wait equally long, so the list is in order.
void Stage::begin_race(std::uint32_t x) noexcept {
  const Exchange& exchange = exchanges_[x];
  const bool v4 = exchange.remote.address.is_v4();
  const base::IpAddress other_source = v4 ? config_.source_v6 : config_.source_v4;
  if (config_.race_delay == base::Duration{} || other_source == base::IpAddress{}) return;
  if ((of_family(exchange, !v4) & ~exchange.tried) == 0) return;
  origins_[exchange.origin].race_at = now_ + config_.race_delay;
  racing_.push(exchange.origin);
}

void Stage::take_races() noexcept {
  for (std::uint32_t o = racing_.front(); o != IndexList::kNone && origins_[o].race_at <= now_;
       o = racing_.front()) {
    racing_.remove(o);
    start_rival(origins_[o].exchange);
  }
}

void Stage::start_rival(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::span<const base::Endpoint> origins(exchange.route.origins.data(),
                                                exchange.route.origin_count);
  const std::uint32_t same = of_family(exchange, exchange.remote.address.is_v4());
  const std::size_t i =
      balancer::choose_origin(origins, exchange.tried | same, next_random(), health_, now_);
  if (i == balancer::kNoOrigin) return;
  EdgeError unused = EdgeError::origin_busy;
  if (!may_connect(records_.find(origins[i], now_), unused)) return;
  const std::uint32_t o = open_connection(x, origins[i]);
  if (o == kNoIndex) return;
  exchange.tried |= 1U << i;
  exchange.rival = o;
  counters_.add(ipc::Counter::kHttpOriginRaces);
}

// One of the two stands. A head start that did not help is remembered, so that not every request
// waits for it.
void Stage::race_won(std::uint32_t x, std::uint32_t o) noexcept {
  if (o == exchanges_[x].rival) {
    health_.report_failure(exchanges_[x].remote, now_);
    counters_.add(ipc::Counter::kHttpOriginRacesWon);
    const std::uint32_t slow = exchanges_[x].origin;
    promote_rival(x);
    origins_[slow].exchange = kNoIndex;
    drop_origin(slow, false);
  } else {
    drop_rival(x);
  }
  origin_connected(x);
}

// One of the two is gone; the other goes on.
void Stage::race_lost(std::uint32_t x, std::uint32_t o, EdgeError error) noexcept {
  note_unconnected(o, error);
  if (o == exchanges_[x].rival) {
    exchanges_[x].rival = kNoIndex;
  } else {
    promote_rival(x);
  }
  free_origin(o);
}

void Stage::promote_rival(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin = exchange.rival;
  exchange.rival = kNoIndex;
  exchange.remote = origins_[exchange.origin].key.endpoint;
  charge(exchange, origins_[exchange.origin].record);
  begin_pending(exchange);
}

void Stage::drop_rival(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.rival == kNoIndex) return;
  const std::uint32_t o = exchange.rival;
  exchange.rival = kNoIndex;
  origins_[o].exchange = kNoIndex;
  drop_origin(o, false);
}

}  // namespace brink::l7::proxy
