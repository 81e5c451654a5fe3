#include "l7/proxy/origin/origin_races.h"

namespace brink::l7::proxy {

// The route's addresses of one family, as in Exchange::tried.
std::uint32_t OriginRaces::of_family(const Exchange& exchange, bool v4) const noexcept {
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < exchange.route.origin_count; ++i) {
    if (exchange.route.origins[i].address.is_v4() == v4) found |= 1U << i;
  }
  return found;
}

void OriginRaces::begin(std::uint32_t x) noexcept {
  const Exchange& exchange = exchanges_[x];
  const bool v4 = exchange.remote.address.is_v4();
  const base::IpAddress other_source = v4 ? turn_.config.source_v6 : turn_.config.source_v4;
  if (turn_.config.race_delay == base::Duration{} || other_source == base::IpAddress{}) return;
  if ((of_family(exchange, !v4) & ~exchange.tried) == 0) return;
  origins_.await_race(exchange.origin, turn_.now + turn_.config.race_delay);
}

void OriginRaces::take_due() noexcept {
  for (std::uint32_t x = origins_.take_race(); x != kNoIndex; x = origins_.take_race()) start(x);
}

void OriginRaces::start(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t same = of_family(exchange, exchange.remote.address.is_v4());
  const std::size_t i = books_.choose(exchange, exchange.tried | same);
  if (i == balancer::kNoOrigin) return;
  const base::Endpoint& remote = exchange.route.origins[i];
  EdgeError unused = EdgeError::origin_busy;
  if (!origins_.may_connect(books_.find(remote), unused)) return;
  const std::uint32_t o = origins_.open(x, remote);
  if (o == kNoIndex) return;
  exchange.tried |= 1U << i;
  exchange.rival = o;
  turn_.counters.add(ipc::Counter::kHttpOriginRaces);
}

// One of the two stands. A head start that did not help is remembered, so that not every request
// waits for it.
void OriginRaces::won(std::uint32_t x, std::uint32_t o) noexcept {
  if (o == exchanges_[x].rival) {
    books_.note_failure(exchanges_[x].remote);
    turn_.counters.add(ipc::Counter::kHttpOriginRacesWon);
    const std::uint32_t slow = exchanges_[x].origin;
    promote(x);
    origins_[slow].exchange = kNoIndex;
    origins_.drop(slow, false);
  } else {
    origins_.drop_rival(x);
  }
}

void OriginRaces::lost(std::uint32_t x, std::uint32_t o, EdgeError error) noexcept {
  origins_.note_unconnected(o, error);
  if (o == exchanges_[x].rival) {
    exchanges_[x].rival = kNoIndex;
  } else {
    promote(x);
  }
  origins_.free(o);
}

void OriginRaces::promote(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin = exchange.rival;
  exchange.rival = kNoIndex;
  exchange.remote = origins_[exchange.origin].key.endpoint;
  exchange.remote_number = origins_[exchange.origin].number;
  books_.charge(exchange, origins_[exchange.origin].record);
  books_.begin_pending(exchange);
}

}  // namespace brink::l7::proxy
