#include "l7/proxy/origin/origin_connections.h"

#include <algorithm>
#include <array>

#include "dataplane/base/check.h"
#include "l7/proxy/state/keyed_number.h"
#include "l7/proxy_protocol/header.h"

namespace brink::l7::proxy {

OriginConnections::OriginConnections(Turn& turn, Clients& clients, Exchanges& exchanges,
                                     OriginBooks& books, OriginSessions& sessions,
                                     const Memory& memory) noexcept
    : turn_(turn),
      clients_(clients),
      exchanges_(exchanges),
      books_(books),
      sessions_(sessions),
      slots_(memory.slots),
      pool_(memory.idle_entries, memory.idle_buckets, turn.config.hash_key, turn.config.idle_pool),
      ports_(turn.config.source_port_first, turn.config.source_port_count, turn.config.hash_key),
      racing_(memory.race_links) {}

origin::OriginKey OriginConnections::key_of(const Exchange& exchange,
                                            const base::Endpoint& remote) const noexcept {
  return {remote, exchange.security,
          announces_clients(exchange) ? clients_[exchange.client].number : 0};
}

// A connection whose origin has spoken since, of which we are still to be told, is out of step: the
// bytes would be taken for an answer.
std::uint32_t OriginConnections::take_pooled(const origin::OriginKey& key,
                                             base::Duration max_idle) noexcept {
  for (;;) {
    const std::uint32_t o = pool_.take(key, turn_.now, max_idle);
    if (o == origin::kNone || slots_[o].state == OriginState::shared) return o;
    if (turn_.transport.readable(slots_[o].id, turn_.now).empty()) return o;
    drop(o, false);
  }
}

bool OriginConnections::may_connect(std::uint32_t record, EdgeError& why) noexcept {
  if (record == kNoIndex) return true;
  const origin::OriginRecord& of = books_[record];
  const origin::OriginLimits& limits = turn_.config.origin_limits;
  if (limits.connections != 0 && of.connections >= limits.connections) {
    // One that waits for others than this request makes room.
    const std::uint32_t idle = pool_.evict_at(of.endpoint);
    if (idle != origin::kNone) retire(idle);
  }
  const bool is_full = limits.connections != 0 && of.connections >= limits.connections;
  if (is_full || (limits.pending != 0 && of.pending >= limits.pending)) {
    why = EdgeError::origin_busy;
    return false;
  }
  return books_.may_connect(record, why);
}

std::uint32_t OriginConnections::open(std::uint32_t x, const base::Endpoint& remote) noexcept {
  const Exchange& exchange = exchanges_[x];
  const base::IpAddress source =
      remote.address.is_v4() ? turn_.config.source_v4 : turn_.config.source_v6;
  std::uint32_t o = slots_.acquire();
  if (o == kNoIndex) {
    // Every slot is taken: the idle connection that waited longest makes room.
    const std::uint32_t oldest = pool_.evict();
    if (oldest != origin::kNone) retire(oldest);
    o = slots_.acquire();
    if (o == kNoIndex) return o;
  }
  tcp::ConnectResult result;
  for (int attempt = 0; attempt < origin::kPortAttemptsMax; ++attempt) {
    const base::Endpoint local{source, ports_.next(source, remote)};
    result = turn_.transport.connect(local, remote, kOriginKind << kUserKindShift | o, turn_.now);
    if (result.error != tcp::ConnectError::kInUse) break;
  }
  if (!result.ok()) {
    slots_.give_back(o);
    return kNoIndex;
  }
  const bool flushing = slots_[o].flushing;  // a stale entry of the ring stays valid
  slots_[o] = {.id = result.id,
               .state = OriginState::connecting,
               .exchange = x,
               .key = key_of(exchange, remote),
               .number = number_of(turn_.config.hash_key, remote),
               .flushing = flushing,
               .record = books_.find(remote)};
  if (slots_[o].record != kNoIndex) {
    ++books_[slots_[o].record].connections;
  } else {
    turn_.counters.add(ipc::Counter::kHttpOriginUntracked);
  }
  if (slots_[o].key.client != 0) clients_[exchange.client].has_own_origins = true;
  return o;
}

void OriginConnections::attach(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin = o;
  exchange.remote = slots_[o].key.endpoint;
  exchange.remote_number = slots_[o].number;
  exchange.out_sent = 0;
  exchange.request_trailers_sent = 0;
  exchange.origin_keep = true;
  exchange.last_progress = turn_.now;
  slots_[o].exchange = x;
  if (exchange.request_body.touched()) return;  // it goes on where it is
  http::BodyFraming from = exchange.request_framing;
  if (exchange.stream != 0 && from.kind == http::BodyKind::chunked) {
    from.kind = http::BodyKind::until_close;  // a stream's frames are off already
  }
  exchange.request_body.start(from, exchange.request_framing.kind, exchange.request_max);
}

bool OriginConnections::announces_clients(const Exchange& exchange) const noexcept {
  return exchange.settings.origin_proxy != route::OriginProxy::kOff;
}

bool OriginConnections::announce_client(const Exchange& exchange) noexcept {
  if (!announces_clients(exchange)) return true;
  const Client& client = clients_[exchange.client];
  const auto version = exchange.settings.origin_proxy == route::OriginProxy::kV1
                           ? proxy_protocol::Version::kV1
                           : proxy_protocol::Version::kV2;
  std::array<std::uint8_t, proxy_protocol::kWrittenMax> out;
  const std::size_t size = proxy_protocol::write_header(
      version, {{client.address, client.remote_port}, client.destination}, out);
  return turn_.transport.write(slots_[exchange.origin].id, std::span(out).first(size), turn_.now) ==
         size;
}

void OriginConnections::release(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_rival(x);
  const std::uint32_t o = exchange.origin;
  if (o == kNoIndex) return;
  if (exchange.origin_stream != 0) return leave(x, true);
  OriginConnection& origin = slots_[o];
  const bool clean = exchange.response_done && exchange.request_done &&
                     exchange.out_sent == exchange.out_size &&
                     turn_.transport.readable(origin.id, turn_.now).empty();
  const base::Duration usable = books_.usable_idle(origin.record);
  if (!clean || !exchange.origin_keep || origin.peer_closed || turn_.draining ||
      usable == base::Duration{}) {
    return drop(o, clean);
  }
  origin.state = OriginState::idle;
  origin.exchange = kNoIndex;
  exchange.origin = kNoIndex;
  turn_.transport.rest(origin.id);
  const std::uint32_t evicted = pool_.put(o, origin.key, turn_.now, usable);
  if (evicted != kNoIndex) retire(evicted);
}

void OriginConnections::leave(std::uint32_t x, bool orderly) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_rival(x);
  if (exchange.origin == kNoIndex) return;
  if (exchange.origin_stream == 0) return drop(exchange.origin, orderly);
  session_of(exchange).reset(exchange.origin_stream, http2::ErrorCode::cancel);
  detach(x);
}

void OriginConnections::detach(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  session_of(exchange).consumed(exchange.origin_stream, exchange.response_inbox.size());
  --slots_[exchange.origin].streams;
  push_flush(exchange.origin);
  exchange.origin = kNoIndex;
  exchange.origin_stream = 0;
}

void OriginConnections::drop_rival(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.rival == kNoIndex) return;
  const std::uint32_t o = exchange.rival;
  exchange.rival = kNoIndex;
  slots_[o].exchange = kNoIndex;
  drop(o, false);
}

void OriginConnections::drop(std::uint32_t o, bool orderly) noexcept {
  const std::uint32_t x = slots_[o].exchange;
  if (x != kNoIndex) exchanges_[x].origin = kNoIndex;
  if (orderly) {
    turn_.transport.release(slots_[o].id, turn_.now);
  } else {
    turn_.transport.set_user(slots_[o].id, kForgotten);
    turn_.transport.abort(slots_[o].id, turn_.now);
  }
  free(o);
}

void OriginConnections::free(std::uint32_t o) noexcept {
  close_session(o);
  pool_.remove(o);
  racing_.remove(o);
  if (slots_[o].record != kNoIndex) --books_[slots_[o].record].connections;
  slots_[o].record = kNoIndex;
  slots_[o].state = OriginState::free;
  slots_[o].exchange = kNoIndex;
  slots_.give_back(o);
}

// Its streams are gone, so nobody is to be told.
void OriginConnections::close_session(std::uint32_t o) noexcept {
  if (slots_[o].session == kNoIndex) return;
  CHECK(slots_[o].streams == 0);
  sessions_.close(slots_[o]);
}

void OriginConnections::retire(std::uint32_t o) noexcept {
  if (slots_[o].streams > 0) return push_flush(o);
  drop(o, true);
}

void OriginConnections::on_idle_event(std::uint32_t o, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
    case transport::EventKind::kWritable:
      return;
    case transport::EventKind::kReadable:
      if (turn_.transport.readable(slots_[o].id, turn_.now).empty())
        return;  // told of bytes that were read since
      return drop(o, false);
    case transport::EventKind::kPeerClosed:
      books_.note_idle_end(slots_[o].record, turn_.now - pool_.idle_since(o));
      return drop(o, true);
    case transport::EventKind::kFailed:
      return drop(o, true);
    case transport::EventKind::kClosed:
      books_.note_idle_end(slots_[o].record, turn_.now - pool_.idle_since(o));
      return free(o);
  }
}

void OriginConnections::note_connected(std::uint32_t o) noexcept {
  racing_.remove(o);
  books_.note_connected(slots_[o].record);
}

void OriginConnections::note_unconnected(std::uint32_t o, EdgeError error) noexcept {
  books_.note_unconnected(slots_[o].key.endpoint, slots_[o].record, error);
}

bool OriginConnections::offer(std::uint32_t o) noexcept {
  if (turn_.draining || slots_[o].orphaned) return false;
  if (!session(o).can_request()) return false;
  if (pool_.is_idle(o)) return true;
  const std::uint32_t evicted = pool_.put(o, slots_[o].key, turn_.now);
  if (evicted != kNoIndex) retire(evicted);
  return true;
}

void OriginConnections::await_race(std::uint32_t o, base::Time at) noexcept {
  slots_[o].race_at = at;
  racing_.push(o);
}

base::Time OriginConnections::next_race() const noexcept {
  const std::uint32_t o = racing_.front();
  return o == IndexList::kNone ? base::Time::max() : slots_[o].race_at;
}

std::uint32_t OriginConnections::take_race() noexcept {
  if (next_race() > turn_.now) return kNoIndex;
  const std::uint32_t o = racing_.front();
  racing_.remove(o);
  return slots_[o].exchange;
}

void OriginConnections::drop_of(Client& client) noexcept {
  if (!client.has_own_origins) return;
  client.has_own_origins = false;
  for (std::uint32_t o = pool_.evict_of(client.number); o != origin::kNone;
       o = pool_.evict_of(client.number)) {
    if (slots_[o].state != OriginState::shared) {
      drop(o, true);
      continue;
    }
    // Its own events may be what the client ends by.
    slots_[o].orphaned = true;
    push_flush(o);
  }
}

void OriginConnections::sweep() noexcept {
  std::array<std::uint32_t, 64> expired;
  for (std::size_t n = expired.size(); n == expired.size();) {
    n = pool_.expire(turn_.now, expired);
    for (std::size_t i = 0; i < n; ++i) retire(expired[i]);
  }
  while (turn_.draining && pool_.size() > 0) retire(pool_.evict());
  if (sessions_.used() == 0) return;
  for (std::uint32_t o = 0; o < slots_.size(); ++o) {
    if (slots_[o].state != OriginState::shared) continue;
    session(o).advance(turn_.now);
    push_flush(o);
  }
}

}  // namespace brink::l7::proxy
