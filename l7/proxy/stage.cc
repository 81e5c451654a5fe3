#include "l7/page/page.h"
#include "l7/proxy/stage.h"

#include <algorithm>
#include <bit>
#include <new>

#include "dataplane/base/check.h"

namespace brink::l7::proxy {
namespace {

using std::chrono::seconds;

// The user value of a connection: its kind above its index.
constexpr std::uint64_t kKindShift = 32;
constexpr std::uint64_t kForgotten = 0;
constexpr std::uint64_t kClientKind = 1;
constexpr std::uint64_t kOriginKind = 2;

std::uint32_t buffer_size_of(const StageConfig& config) noexcept {
  return std::max(config.request_limits.head_max, config.response_limits.head_max) +
         kAddedFieldsMax;
}

std::uint32_t bucket_count_of(const StageConfig& config) noexcept {
  return std::bit_ceil(std::max<std::uint32_t>(config.max_origins, 16));
}

// Cuts typed arrays out of the arena; with a null base it only counts.
class Arena {
 public:
  explicit Arena(std::byte* base) noexcept : base_(base) {}

  template <typename T>
  std::span<T> take(std::size_t count) noexcept {
    at_ = (at_ + 63) & ~std::size_t{63};
    std::byte* const place = base_ + at_;
    at_ += count * sizeof(T);
    if (base_ == nullptr) return {};
    T* const first = reinterpret_cast<T*>(place);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T;
    return {first, count};
  }
  [[nodiscard]] std::size_t size() const noexcept { return (at_ + 63) & ~std::size_t{63}; }

 private:
  std::byte* base_;
  std::size_t at_ = 0;
};

}  // namespace

Stage::Parts Stage::carve(std::byte* base, const StageConfig& config) noexcept {
  Arena arena(base);
  const auto slots = [&arena]<typename T>(Slots<T>& out, std::uint32_t count) {
    out.items = arena.take<T>(count);
    out.free_indexes = arena.take<std::uint32_t>(count);
    out.free_count = static_cast<std::uint32_t>(out.free_indexes.size());
    for (std::uint32_t i = 0; i < out.free_count; ++i) out.free_indexes[i] = count - 1 - i;
  };
  Parts parts;
  slots(parts.clients, config.max_clients);
  slots(parts.exchanges, config.max_exchanges);
  parts.notes = arena.take<log::Notes>(config.max_exchanges);
  const std::size_t codings = config.coders == nullptr ? 0 : config.max_exchanges;
  parts.codings = arena.take<BodyCoding>(codings);
  parts.resting = arena.take<std::uint32_t>(codings);
  parts.watched = arena.take<std::uint32_t>(codings);
  slots(parts.origins, config.max_origins);
  parts.idle_entries = arena.take<origin::IdlePool::Entry>(config.max_origins);
  parts.idle_buckets = arena.take<std::uint32_t>(bucket_count_of(config));
  parts.records =
      arena.take<origin::OriginRecord>(origin::OriginTable::record_count(config.max_origins));
  parts.race_links = arena.take<IndexList::Link>(config.max_origins);
  parts.ready = arena.take<std::uint32_t>(config.max_clients);
  slots(parts.sessions, config.http2 == nullptr ? 0 : config.max_sessions);
  // Every inbox may be full: who does not take a body must hold up nobody else's.
  const std::size_t blocks =
      config.http2 == nullptr ? 0 : std::size_t{config.max_exchanges} * kInboxesMax * kInboxBlocks;
  slots(parts.origin_sessions, config.http2 == nullptr ? 0 : config.max_origin_sessions);
  parts.origin_flush = arena.take<std::uint32_t>(config.max_origins);
  parts.flush = arena.take<std::uint32_t>(config.max_clients);
  parts.early = arena.take<std::uint32_t>(config.max_exchanges);
  parts.blocks = arena.take<std::uint8_t>(blocks * BlockPool::kBlockSize);
  parts.next_block = arena.take<std::uint32_t>(blocks);
  parts.scratch = arena.take<char>(buffer_size_of(config));
  // It goes through the scratch buffer with its head.
  parts.page =
      arena.take<char>(std::min<std::size_t>(page::kPageMax, buffer_size_of(config) - kAddedFieldsMax));
  parts.rules = arena.take<rewrite::Workspace>(1);
  parts.buffers = arena.take<char>(std::size_t{config.max_exchanges} * 2 * buffer_size_of(config));
  parts.size_bytes = arena.size();
  return parts;
}

std::size_t Stage::memory_size(const StageConfig& config) noexcept {
  return carve(nullptr, config).size_bytes;
}

Stage::Stage(const StageConfig& config, std::span<std::byte> memory,
             transport::Transport& transport, ipc::WorkerCounters& counters) noexcept
    : Stage(config,
            (CHECK(memory.size() >= memory_size(config) &&
                   reinterpret_cast<std::uintptr_t>(memory.data()) % 64 == 0),
             carve(memory.data(), config)),
            transport, counters) {}

Stage::Stage(const StageConfig& config, const Parts& parts, transport::Transport& transport,
             ipc::WorkerCounters& counters) noexcept
    : config_(config),
      transport_(transport),
      counters_(counters),
      random_state_(config.random_seed),
      buffer_size_(buffer_size_of(config)),
      clients_(parts.clients),
      exchanges_(parts.exchanges),
      notes_(parts.notes),
      codings_(parts.codings),
      resting_(parts.resting),
      watched_(parts.watched),
      origins_(parts.origins),
      buffers_(parts.buffers),
      scratch_(parts.scratch),
      page_(parts.page),
      rules_(parts.rules),
      ready_(parts.ready),
      sessions_(parts.sessions),
      inbox_blocks_(parts.blocks, parts.next_block),
      flush_(parts.flush),
      origin_sessions_(parts.origin_sessions),
      origin_flush_(parts.origin_flush),
      early_(parts.early),
      health_(config.hash_key, config.suspect_time),
      pool_(parts.idle_entries, parts.idle_buckets, config.hash_key, config.idle_pool),
      records_(parts.records, config.hash_key),
      racing_(parts.race_links),
      ports_(config.source_port_first, config.source_port_count, config.hash_key) {
  if (config.coders != nullptr) {
    encodes_ = config.coders->gzip_encoders.free() != 0;
    decodes_ = config.coders->can_decode();
  }
  CHECK(config.colo.size() == 3);
  CHECK(config.request_limits.head_max <= http1::kHeadMaxCeiling &&
        config.response_limits.head_max <= http1::kHeadMaxCeiling);
}

void Stage::run(const snapshot::View& view, base::Time now) noexcept {
  view_ = &view;
  now_ = now;
  // The acquire is for whoever publishes it, with a release.
  if (config_.countries != nullptr) {
    countries_ = config_.countries->load(std::memory_order_acquire);
  }
  if (config_.credentials != nullptr) {
    config_.credentials->begin(view, (now.time_since_epoch() + config_.wall_offset) / seconds(1));
  }
  transport::Event event;
  while (transport_.next_event(event, now_)) on_event(event);
  take_races();
  take_coded();
  take_ready();
  if (now_ >= next_sweep_) sweep();
  if (config_.credentials != nullptr) config_.credentials->end();
  view_ = nullptr;
  countries_ = nullptr;
}

// Only what is ready now: a pipelined request that a turn's end makes ready waits for the next, and
// so does what one session's bytes make another write.
void Stage::take_ready() noexcept {
  for (std::uint32_t n = ready_.size(); n > 0; --n) {
    const std::uint32_t c = ready_.pop();
    clients_[c].ready = false;
    if (clients_[c].state == ClientState::open && clients_[c].exchange == kNoIndex) read_client(c);
  }
  for (std::uint32_t n = origin_flush_.size(); n > 0; --n) {
    const std::uint32_t o = origin_flush_.pop();
    origins_[o].flushing = false;
    if (origins_[o].state == OriginState::shared) flush_origin_session(o);
  }
  for (std::uint32_t n = flush_.size(); n > 0; --n) {
    const std::uint32_t c = flush_.pop();
    clients_[c].flushing = false;
    if (clients_[c].state == ClientState::open) flush_session(c);
  }
}

base::Time Stage::next_deadline() const noexcept {
  if (ready_.size() + flush_.size() + origin_flush_.size() + resting_.size() > 0) return now_;
  if (clients_.used() == 0 && origins_.used() == 0) return base::Time::max();
  base::Time deadline = next_sweep_;
  if (watched_.size() > 0) deadline = std::min(deadline, codings_[watched_.front()].look_at);
  const std::uint32_t racing = racing_.front();
  if (racing != IndexList::kNone) deadline = std::min(deadline, origins_.items[racing].race_at);
  return deadline;
}

void Stage::on_event(const transport::Event& event) noexcept {
  if (event.kind == transport::EventKind::kAccepted) return on_accepted(event.id);
  const auto index = static_cast<std::uint32_t>(event.user);
  switch (event.user >> kKindShift) {
    case kClientKind:
      if (clients_[index].state != ClientState::free && clients_[index].id == event.id) {
        on_client_event(index, event);
      }
      return;
    case kOriginKind:
      if (origins_[index].state != OriginState::free && origins_[index].id == event.id) {
        on_origin_event(index, event);
      }
      return;
    default:
      return;  // forgotten: aborted by us
  }
}

void Stage::on_accepted(tcp::ConnectionId id) noexcept {
  const std::uint32_t c = clients_.acquire();
  if (c == kNoIndex) {
    counters_.add(ipc::Counter::kDropHttpClientLimit);
    transport_.set_user(id, kForgotten);
    transport_.abort(id, now_);
    return;
  }
  const tcp::ConnectionInfo info = transport_.info(id);
  Client& client = clients_[c];
  // Stale entries of the rings stay valid for the new connection.
  const bool ready = client.ready;
  const bool flushing = client.flushing;
  client = Client{};
  client.ready = ready;
  client.flushing = flushing;
  client.id = id;
  client.state = ClientState::open;
  client.deadline = now_ + config_.keep_alive_timeout;
  client.address = info.remote.address;
  client.remote_port = info.remote.port;
  client.port = info.local.port;
  client.destination = info.local;
  client.number = ++client_number_;
  transport_.set_user(id, kClientKind << kKindShift | c);
  if (!is_relay(client.address)) return begin_client(c);
  client.awaits_header = true;
  client.deadline = now_ + config_.handshake_timeout;
  read_proxy_header(c);
}

// Its own bytes come next.
void Stage::begin_client(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (is_https_port(client.port)) {
    client.secure = true;
    client.deadline = now_ + config_.handshake_timeout;
    if (!secure_client(c)) abort_client(c);
    return;
  }
  push_ready(c);  // bytes may have come with the handshake
}

void Stage::on_client_event(std::uint32_t c, const transport::Event& event) noexcept {
  Client& client = clients_[c];
  if (client.awaits_header) return on_relay_event(c, event);
  if (client.session != kNoIndex) return on_session_event(c, event);
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
      return;
    case transport::EventKind::kSecured:
      return client_secured(c);
    case transport::EventKind::kFailed:
      return fail_client(c);
    case transport::EventKind::kReadable:
      return read_client(c);
    case transport::EventKind::kWritable:
      if (client.exchange != kNoIndex) drive(client.exchange);
      return;
    case transport::EventKind::kPeerClosed:
      client.peer_closed = true;
      if (client.state == ClientState::lingering) return;
      if (client.exchange == kNoIndex) {
        transport_.release(client.id, now_);
        return free_client(c);
      }
      if (exchanges_[client.exchange].tunnel && !event.truncated) {
        exchanges_[client.exchange].request_body.input_ended();
        return drive(client.exchange);
      }
      // A half-closed client still gets its response, if its request was complete; but nothing can
      // be written any more after an end of TCP that TLS did not announce.
      if ((exchanges_[client.exchange].request_done && !event.truncated) ||
          exchanges_[client.exchange].phase == Phase::answering) {
        return;
      }
      lose_client(client.exchange);
      return abort_client(c);
    case transport::EventKind::kClosed:
      if (client.exchange != kNoIndex) {
        lose_client(client.exchange);
        const std::uint32_t x = client.exchange;
        leave_origin(x, false);
        free_exchange(x);
      }
      note_unfinished_handshake(client);
      return free_client(c);
  }
}

void Stage::on_origin_event(std::uint32_t o, const transport::Event& event) noexcept {
  OriginConnection& origin = origins_[o];
  if (origin.state == OriginState::idle) return on_idle_origin_event(o, event);
  if (origin.state == OriginState::shared) return on_origin_session_event(o, event);
  const std::uint32_t x = origin.exchange;
  switch (event.kind) {
    case transport::EventKind::kAccepted:
      return;
    case transport::EventKind::kConnected:
      return exchanges_[x].rival != kNoIndex ? race_won(x, o) : origin_connected(x);
    case transport::EventKind::kSecured:
      return origin_secured(x);
    case transport::EventKind::kFailed:
      return origin_security_failed(x);
    case transport::EventKind::kReadable:
    case transport::EventKind::kWritable:
      return drive(x);
    case transport::EventKind::kPeerClosed:
      origin.peer_closed = true;
      return origin_ended(x, event);
    case transport::EventKind::kClosed:
      if (exchanges_[x].rival != kNoIndex) return race_lost(x, o, connect_error(event.reason));
      if (origin.state == OriginState::connecting) note_unconnected(o, connect_error(event.reason));
      // The connection is gone already; only our books remain.
      free_origin(o);
      exchanges_[x].origin = kNoIndex;
      return origin_ended(x, event);
  }
}

// An idle connection that does anything is of no use: closed by the origin, or out of step.
void Stage::on_idle_origin_event(std::uint32_t o, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
    case transport::EventKind::kWritable:
      return;
    case transport::EventKind::kReadable:
      if (transport_.readable(origins_[o].id, now_).empty())
        return;  // told of bytes that were read since
      return drop_origin(o, false);
    case transport::EventKind::kPeerClosed:
      note_idle_end(origins_[o].record, now_ - pool_.idle_since(o));
      return drop_origin(o, true);
    case transport::EventKind::kFailed:
      return drop_origin(o, true);
    case transport::EventKind::kClosed:
      note_idle_end(origins_[o].record, now_ - pool_.idle_since(o));
      return free_origin(o);
  }
}

std::uint32_t Stage::acquire_exchange(std::uint32_t c) noexcept {
  const std::uint32_t x = exchanges_.acquire();
  if (x == kNoIndex) return x;
  Exchange& exchange = exchanges_[x];
  exchange = Exchange{};
  notes_[x].clear();
  exchange.client = c;
  exchange.phase_since = now_;
  exchange.last_progress = now_;
  return x;
}

void Stage::free_exchange(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  // A connection that ended before it asked for anything is no request.
  if (exchange.noted_at != base::Time{}) {
    close_entry(exchange);
    count_zone(exchange);
    log_exchange(x);
  }
  take_promise_back(exchange);
  if (exchange.coded) codings_[x].coder.end();
  drop_rival(x);
  discharge(exchange);
  exchange.inbox.clear(inbox_blocks_);
  exchange.response_inbox.clear(inbox_blocks_);
  if (exchange.stream == 0) clients_[exchange.client].exchange = kNoIndex;
  exchange.client = kNoIndex;
  exchange.origin = kNoIndex;
  exchange.stream = 0;
  exchanges_.give_back(x);
}

void Stage::free_client(std::uint32_t c) noexcept {
  if (clients_[c].has_certificate) config_.credentials->clients().forget(c);
  drop_own_origins(c);
  clients_[c].state = ClientState::free;
  clients_.give_back(c);
}

void Stage::free_origin(std::uint32_t o) noexcept {
  pool_.remove(o);
  racing_.remove(o);
  if (origins_[o].record != kNoIndex) --records_[origins_[o].record].connections;
  origins_[o].record = kNoIndex;
  origins_[o].state = OriginState::free;
  origins_[o].exchange = kNoIndex;
  origins_.give_back(o);
}

// Ends an origin connection and forgets it. `orderly`: it is between messages, a FIN will do.
void Stage::drop_origin(std::uint32_t o, bool orderly) noexcept {
  const std::uint32_t x = origins_[o].exchange;
  if (x != kNoIndex) exchanges_[x].origin = kNoIndex;
  if (origins_[o].session != kNoIndex) close_origin_session(o);
  if (orderly) {
    transport_.release(origins_[o].id, now_);
  } else {
    transport_.set_user(origins_[o].id, kForgotten);
    transport_.abort(origins_[o].id, now_);
  }
  free_origin(o);
}

// A client went, or takes nothing any more, with its request unanswered.
void Stage::lose_client(std::uint32_t x) noexcept {
  counters_.add(ipc::Counter::kHttpClientAborts);
  exchanges_[x].entry.flags |= log::kAborted;
}

// Waited too long for the client to take its answer.
void Stage::give_up_client(std::uint32_t x) noexcept {
  lose_client(x);
  if (exchanges_[x].stream != 0) return reset_stream(x, http2::ErrorCode::cancel);
  abort_client(exchanges_[x].client);
}

// TLS has failed: the alert goes out, and the connection with it.
void Stage::fail_client(std::uint32_t c) noexcept {
  counters_.add(ipc::Counter::kTlsFailed);
  const std::uint32_t x = clients_[c].exchange;
  if (x != kNoIndex) {
    lose_client(x);
    leave_origin(x, false);
    free_exchange(x);
  }
  transport_.release(clients_[c].id, now_);
  free_client(c);
}

// Resets a client and everything that was done for it.
void Stage::abort_client(std::uint32_t c) noexcept {
  if (clients_[c].session != kNoIndex) close_session(c);
  const std::uint32_t x = clients_[c].exchange;
  if (x != kNoIndex) {
    leave_origin(x, false);
    free_exchange(x);
  }
  transport_.set_user(clients_[c].id, kForgotten);
  transport_.abort(clients_[c].id, now_);
  free_client(c);
}

// splitmix64: for spreading load and naming requests, not for secrets.
std::uint64_t Stage::next_random() noexcept {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::span<char> Stage::in_buffer(std::uint32_t x) noexcept {
  return buffers_.subspan(std::size_t{x} * 2 * buffer_size_, buffer_size_);
}
std::span<char> Stage::out_buffer(std::uint32_t x) noexcept {
  return buffers_.subspan((std::size_t{x} * 2 + 1) * buffer_size_, buffer_size_);
}

}  // namespace brink::l7::proxy
