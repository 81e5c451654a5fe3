#include "dns/stream/stage.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dns/wire/message.h"

namespace brink::dns::stream {
namespace {

using ipc::Counter;

constexpr std::size_t align(std::size_t size) noexcept {
  return (size + 63) / 64 * 64;
}

// TLS makes as many records of a response as room asks for: more than writable_bytes() counts on.
constexpr std::size_t kRecordsSlack = 1024;

std::size_t client_slots(const StageConfig& config) noexcept {
  return std::bit_ceil(std::size_t{config.max_connections} * 4);
}

}  // namespace

const Stage::Names Stage::kOverTcp = {answer::Transport::kStream,   ipc::LatencyKind::kDnsTcp,
                                      Counter::kDnsStreamQueries,   Counter::kDnsStreamWaits,
                                      Counter::kDropDnsStreamLimit, Counter::kDropDnsStreamFraming};
const Stage::Names Stage::kOverTls = {answer::Transport::kEncryptedStream,
                                      ipc::LatencyKind::kDnsDot,
                                      Counter::kDotQueries,
                                      Counter::kDotWaits,
                                      Counter::kDropDotLimit,
                                      Counter::kDropDotFraming};

std::size_t Stage::memory_size(const StageConfig& config) noexcept {
  return align(config.max_connections * sizeof(Connection)) +
         align(client_slots(config) * sizeof(std::uint16_t)) + kBurst * kFrameStride;
}

Stage::Stage(const StageConfig& config, std::span<std::byte> memory,
             transport::Transport& transport, answer::Engine& engine,
             ipc::WorkerCounters& counters) noexcept
    : config_(config),
      names_(is_secure() ? kOverTls : kOverTcp),
      transport_(transport),
      engine_(engine),
      counters_(counters),
      connections_(reinterpret_cast<Connection*>(memory.data()), config.max_connections),
      clients_(reinterpret_cast<std::uint16_t*>(memory.data() +
                                                align(config.max_connections * sizeof(Connection))),
               client_slots(config)),
      frames_(reinterpret_cast<std::uint8_t*>(clients_.data()) +
              align(clients_.size() * sizeof(std::uint16_t))),
      ready_(connections_),
      idle_(connections_),
      shaking_(connections_) {
  CHECK(memory.size() >= memory_size(config));
  std::uninitialized_default_construct(connections_.begin(), connections_.end());
  std::fill(clients_.begin(), clients_.end(), std::uint16_t{0});
  for (std::uint32_t i = config.max_connections; i-- > 0;) {
    connections_[i].next_free = free_;
    free_ = i;
  }
}

bool Stage::run(const snapshot::View& view, base::Time now) noexcept {
  now_ = now;
  transport::Event event;
  while (transport_.next_event(event, now)) on_event(event);
  for (int i = 0; i < kBurstsPerTurn && !ready_.empty(); ++i) answer_ready(view);
  end_idle();
  end_handshakes();
  return !ready_.empty() || transport_.has_waiting();
}

// The user value of a connection is its slot and one: 0 has none.
void Stage::on_event(const transport::Event& event) noexcept {
  if (event.kind == transport::EventKind::kAccepted) return admit(event.id);
  if (event.user == 0) return;
  const auto index = static_cast<std::uint32_t>(event.user - 1);
  switch (event.kind) {
    case transport::EventKind::kSecured:
      return secured(index);
    case transport::EventKind::kFailed:
      return fail(index);
    case transport::EventKind::kClosed:
      if (connections_[index].shaking) counters_.add(Counter::kDotFailed);
      return free_slot(index);
    case transport::EventKind::kPeerClosed:
      connections_[index].ending = true;
      return settle(index);
    case transport::EventKind::kReadable:
      connections_[index].incomplete = false;
      if (!ready_.contains(index) && !connections_[index].blocked) connections_[index].asked = now_;
      return wake(index);
    case transport::EventKind::kWritable:
      connections_[index].blocked = false;
      return wake(index);
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
      return;
  }
}

void Stage::admit(transport::ConnectionId id) noexcept {
  const base::IpAddress address = transport_.info(id).remote.address;
  const std::uint32_t client = client_of(address);
  if (clients_[client] >= config_.per_client_max || draining_) {
    counters_.add(names_.drop_limit);
    return transport_.abort(id, now_);
  }
  make_room();
  CHECK(free_ != tcp::kNil);
  const std::uint32_t index = free_;
  Connection& c = connections_[index];
  free_ = c.next_free;
  c = Connection{};
  c.id = id;
  c.address = address;
  c.client = client;
  c.asked = now_;
  c.shaking = is_secure();
  ++clients_[client];
  transport_.set_user(id, index + 1);
  touch(index);
  if (!c.shaking) return wake(index);
  if (transport_.secure_accept(id, *config_.certificates, index, now_) != tls::Failure::kNone) {
    fail(index);
  }
}

// A new connection is worth more than the one that has been idle the longest (RFC 7766 6.2.3), but
// clients that do not come to ask anything take no places from those that do. They are reset: who
// does not speak TLS may not close either, and the stack would wait for that.
void Stage::make_room() noexcept {
  if (connection_count() < config_.max_connections - config_.max_connections / 16) return;
  if (shaking_.size() <= idle_.size()) return end(idle_.front());
  const std::uint32_t oldest = shaking_.front();
  counters_.add(Counter::kDotFailed);
  transport_.set_user(connections_[oldest].id, 0);
  transport_.abort(connections_[oldest].id, now_);
  free_slot(oldest);
}

void Stage::secured(std::uint32_t index) noexcept {
  Connection& c = connections_[index];
  counters_.add(Counter::kDotConnections);
  if (transport_.security(c.id)->info().resumed) counters_.add(Counter::kDotResumed);
  shaking_.remove(index);
  c.shaking = false;
  touch(index);
}

// TLS itself failed, or there is no more time for it.
void Stage::fail(std::uint32_t index) noexcept {
  counters_.add(Counter::kDotFailed);
  end(index);
}

void Stage::wake(std::uint32_t index) noexcept {
  const Connection& c = connections_[index];
  if (c.blocked || c.incomplete) return;
  if (transport_.readable_bytes(c.id, now_) > 0) return ready_.push_back(index);
  transport_.rest(c.id);
}

void Stage::touch(std::uint32_t index) noexcept {
  Connection& c = connections_[index];
  c.active = now_;
  if (c.shaking) return shaking_.push_back(index);
  idle_.remove(index);
  idle_.push_back(index);
}

void Stage::answer_ready(const snapshot::View& view) noexcept {
  std::array<std::uint32_t, kBurst> visited;
  std::array<answer::Message, kBurst> messages;
  std::size_t visits = 0;
  std::size_t count = 0;
  while (count < kBurst && visits < kBurst && !ready_.empty()) {
    const std::uint32_t index = ready_.front();
    ready_.remove(index);
    visited[visits++] = index;
    count += take(index, count);
  }
  for (std::size_t i = 0; i < count; ++i) {
    messages[i] = {frame(i) + 2, taken_[i].query_size, 65535,
                   &connections_[taken_[i].connection].address};
  }
  if (count > 0) {
    counters_.add(names_.queries, count);
    engine_.answer_burst(view, names_.transport, {messages.data(), count}, counters_);
  }
  for (std::size_t i = 0; i < count; ++i) put(taken_[i], frame(i), messages[i].size);
  for (std::size_t i = 0; i < visits; ++i) settle(visited[i]);
}

// Copies whole messages of the connection to the frames from `count` on; returns how many. Behind
// others, a message that is not whole may be so when those are gone: TLS opens more then.
std::size_t Stage::take(std::uint32_t index, std::size_t count) noexcept {
  Connection& c = connections_[index];
  const std::size_t most = std::min(kBurst - count, kPerConnection);
  const std::size_t there = transport_.readable_bytes(c.id, now_);
  std::size_t taken = 0;
  for (std::size_t offset = 0; taken < most;) {
    std::uint8_t length[2];
    if (transport_.peek(c.id, offset, length) < sizeof length) break;
    const std::uint16_t size = base::load_be16(length);
    if (size < wire::kHeaderSize || size > kQueryMax) {
      counters_.add(names_.drop_framing);
      c.ending = true;
      break;
    }
    if (there < offset + 2 + size) break;
    transport_.peek(c.id, offset + 2, {frame(count + taken) + 2, size});
    taken_[count + taken] = {index, size};
    offset += 2U + size;
    ++taken;
  }
  c.incomplete = taken == 0 && !c.ending;
  return taken;
}

// Queues a response, and lets its query go; or leaves the query until there is room. A response of
// no octets is none: whoever sends responses here is not worth a connection.
void Stage::put(const Taken& taken, const std::uint8_t* frame, std::uint16_t size) noexcept {
  Connection& c = connections_[taken.connection];
  if (c.blocked) return;
  if (size == 0) {
    c.ending = true;
  } else {
    if (transport_.writable_bytes(c.id) < 2U + size + (is_secure() ? kRecordsSlack : 0)) {
      c.blocked = true;
      counters_.add(names_.waits);
      return transport_.await_room(c.id);
    }
    base::store_be16(const_cast<std::uint8_t*>(frame), size);
    // Half a response that TLS failed in would be the beginning of the next.
    c.ending |= transport_.write(c.id, {frame, 2U + size}, now_) < 2U + size;
    touch(taken.connection);
    if (latency_ != nullptr) latency_->add(names_.latency, c.asked);
  }
  transport_.consume(c.id, 2U + taken.query_size, now_);
}

// What is next for a connection when its messages of this turn are dealt with.
void Stage::settle(std::uint32_t index) noexcept {
  Connection& c = connections_[index];
  if (c.blocked) return;
  // The peer's end behind half a message is told only when that is consumed.
  if (c.ending || (c.incomplete && transport_.is_at_end(c.id))) return end(index);
  if (draining_ && (c.incomplete || transport_.readable_bytes(c.id, now_) == 0)) return end(index);
  wake(index);
}

void Stage::end(std::uint32_t index) noexcept {
  transport_.release(connections_[index].id, now_);
  free_slot(index);
}

void Stage::free_slot(std::uint32_t index) noexcept {
  Connection& c = connections_[index];
  ready_.remove(index);
  (c.shaking ? shaking_ : idle_).remove(index);
  --clients_[c.client];
  c.next_free = free_;
  free_ = index;
}

base::Duration Stage::shortened(base::Duration timeout) const noexcept {
  if (draining_) return {};
  return connection_count() > config_.max_connections / 4 * 3 ? timeout / 10 : timeout;
}

void Stage::end_idle() noexcept {
  while (!idle_.empty() &&
         now_ - connections_[idle_.front()].active >= shortened(config_.idle_timeout)) {
    const std::uint32_t oldest = idle_.front();
    if (draining_ && (ready_.contains(oldest) || connections_[oldest].blocked)) break;
    end(oldest);
  }
}

void Stage::end_handshakes() noexcept {
  while (!shaking_.empty() &&
         now_ - connections_[shaking_.front()].active >= shortened(config_.handshake_timeout)) {
    fail(shaking_.front());
  }
}

base::Time Stage::next_deadline() const noexcept {
  if (!ready_.empty() || transport_.has_waiting()) return now_;
  base::Time next = base::Time::max();
  if (!idle_.empty()) {
    next = connections_[idle_.front()].active + shortened(config_.idle_timeout);
  }
  if (!shaking_.empty()) {
    next = std::min(next,
                    connections_[shaking_.front()].active + shortened(config_.handshake_timeout));
  }
  return next;
}

std::uint32_t Stage::client_of(const base::IpAddress& address) const noexcept {
  alignas(16) std::uint8_t prefix[16] = {};
  const auto& bytes = address.bytes();
  std::copy(bytes.begin(), bytes.begin() + (address.is_v4() ? 16 : 8), prefix);
  return static_cast<std::uint32_t>(base::keyed_hash(config_.client_key, prefix, 16) &
                                    (clients_.size() - 1));
}

}  // namespace brink::dns::stream
