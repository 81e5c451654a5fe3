#include "dataplane/tcp/stack.h"

#include <algorithm>
#include <bit>
#include <memory>

namespace brink::tcp {

// Where each array stands in the memory given, and how long it is.
struct Stack::Layout {
  struct Part {
    std::size_t offset;
    std::uint32_t count;
  };
  explicit Layout(const StackConfig& config) noexcept {
    connections = add<Connection>(config.max_connections);
    half_open = add<HalfOpen>(config.syn_backlog);
    time_wait = add<TimeWait>(config.max_time_wait);
    chunks = add<Chunk>(config.chunk_count);
    control = add<Control>(kControlRing);
    slots = add<FlowTable::Slot>(FlowTable::slot_count(config.max_connections + config.syn_backlog +
                                                       config.max_time_wait + 1));
  }

  template <typename T>
  Part add(std::uint32_t count) noexcept {
    const Part part{size, count};
    size += (sizeof(T) * count + 63) / 64 * 64;
    return part;
  }
  template <typename T>
  static std::span<T> make(std::byte* memory, Part part) noexcept {
    T* const first = reinterpret_cast<T*>(memory + part.offset);
    std::uninitialized_default_construct_n(first, part.count);
    return {first, part.count};
  }

  std::size_t size = 0;
  Part connections, half_open, time_wait, chunks, control, slots;
};

namespace {

// The smallest shift that lets the window field express `limit` (RFC 7323 2.3).
std::uint8_t scale_for(std::uint32_t limit) noexcept {
  std::uint8_t scale = 0;
  while (scale < kMaxWindowScale && (std::uint64_t{0xffff} << scale) < limit) ++scale;
  return scale;
}

// What a peer is offered before it has shown that it sends much. These are not counted as promised:
// most connections never use them.
std::uint32_t first_window(const StackConfig& config) noexcept {
  const std::uint64_t part = std::uint64_t{config.chunk_count} * kChunkSize / 64;
  const std::uint64_t most = std::max<std::uint64_t>(part, 16 * 1024);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>({most, config.receive_limit, 0xffffU}));
}

template <typename T>
std::uint32_t link_free(std::span<T> items) noexcept {
  const auto count = static_cast<std::uint32_t>(items.size());
  for (std::uint32_t i = 0; i < count; ++i) items[i].next_free = i + 1 < count ? i + 1 : kNil;
  return count > 0 ? 0 : kNil;
}

}  // namespace

std::size_t Stack::memory_size(const StackConfig& config) noexcept {
  return Layout(config).size;
}

// The largest by which a share of an empty pool is a connection's full limit: shares begin to
// shrink before half of what windows may use is taken.
unsigned Stack::share_shift(const StackConfig& config) noexcept {
  const std::uint64_t usable = std::uint64_t{config.chunk_count} * kChunkCapacity * 3 / 4;
  const std::uint64_t limit = std::max({config.receive_limit, config.send_limit, 1U});
  const unsigned fitting = static_cast<unsigned>(std::bit_width(usable / limit));
  return std::max(kLeastShareShift, fitting > 0 ? fitting - 1 : 0);
}

// With so many bytes free, beside those promised, a share of what is left to receiving without its
// reserve (each an eighth of the pool) is no less than any limit of a connection.
std::uint64_t Stack::ample_bytes(const StackConfig& config) noexcept {
  const std::uint64_t kept = std::uint64_t{config.chunk_count} / 8 * 2 * kChunkCapacity;
  const std::uint64_t limit = std::max(config.receive_limit, config.send_limit);
  return kept + (limit << share_shift(config));
}

Stack::Stack(const StackConfig& config, std::span<std::byte> memory,
             ipc::WorkerCounters& counters) noexcept
    : Stack(config, Layout(config), memory.data(), counters) {
  CHECK(memory.size() >= memory_size(config));
  CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % 64 == 0);
}

Stack::Stack(const StackConfig& config, const Layout& layout, std::byte* memory,
             ipc::WorkerCounters& counters) noexcept
    : config_(config),
      counters_(counters),
      receive_scale_(scale_for(config.receive_limit)),
      initial_window_(first_window(config)),
      share_shift_(share_shift(config)),
      ample_(ample_bytes(config)),
      connections_(Layout::make<Connection>(memory, layout.connections)),
      half_open_(Layout::make<HalfOpen>(memory, layout.half_open)),
      time_wait_(Layout::make<TimeWait>(memory, layout.time_wait)),
      pool_(Layout::make<Chunk>(memory, layout.chunks)),
      flows_(Layout::make<FlowTable::Slot>(memory, layout.slots), config.flow_secret),
      free_connections_(link_free(connections_)),
      free_half_open_(link_free(half_open_)),
      free_time_wait_(link_free(time_wait_)),
      events_(connections_),
      output_(connections_),
      starved_(connections_),
      time_wait_order_(time_wait_),
      control_(Layout::make<Control>(memory, layout.control)) {
  CHECK(config.max_connections > 0 && config.max_connections < (1U << 30));
  CHECK(config.mss_min >= 64 && config.mss_v4 >= config.mss_min && config.mss_v6 >= config.mss_min);
  CHECK(config.mss_v4 <= kChunkCapacity * 4 && config.mss_v6 <= kChunkCapacity * 4);
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    connections_[i].timer.owner = static_cast<std::uint32_t>(FlowKind::kConnection) << 30 | i;
  }
  for (std::uint32_t i = 0; i < half_open_.size(); ++i) {
    half_open_[i].timer.owner = static_cast<std::uint32_t>(FlowKind::kHalfOpen) << 30 | i;
  }
}

Connection* Stack::resolve(ConnectionId id) noexcept {
  if (id.index >= connections_.size()) return nullptr;
  Connection& c = connections_[id.index];
  return c.in_use && !c.released && c.generation == id.generation ? &c : nullptr;
}
const Connection* Stack::resolve(ConnectionId id) const noexcept {
  return const_cast<Stack*>(this)->resolve(id);
}

std::uint32_t Stack::index_of(const Connection& c) const noexcept {
  return static_cast<std::uint32_t>(&c - connections_.data());
}

Flow Stack::find(const FlowKey& key, std::uint32_t hash) const noexcept {
  return flows_.find(hash, [&](Flow flow) noexcept {
    switch (flow.kind) {
      case FlowKind::kConnection:
        return connections_[flow.index].key == key;
      case FlowKind::kHalfOpen:
        return half_open_[flow.index].key == key;
      case FlowKind::kTimeWait:
        return time_wait_[flow.index].key == key;
      case FlowKind::kNone:
        break;
    }
    return false;
  });
}

// Every half-open connection has a slot reserved, so that its third segment never finds none.
bool Stack::connection_available() const noexcept {
  return connections_used_ + half_open_used_ < connections_.size();
}

Connection& Stack::allocate_connection(const FlowKey& key, std::uint32_t hash) noexcept {
  CHECK(free_connections_ != kNil);
  Connection& c = connections_[free_connections_];
  free_connections_ = c.next_free;
  const base::TimerNode timer = c.timer;
  const std::uint32_t generation = c.generation;
  c = Connection{};
  c.timer.owner = timer.owner;
  c.generation = generation;
  c.in_use = true;
  c.key = key;
  c.hash = hash;
  ++connections_used_;
  return c;
}

void Stack::free_connection(Connection& c) noexcept {
  const std::uint32_t index = index_of(c);
  wheel_.cancel(c.timer);
  events_.remove(index);
  if (output_.front() == index) burst_ = 0;
  output_.remove(index);
  starved_.remove(index);
  promises_.settle(c.promise, 0);
  c.send.clear(pool_);
  c.received.clear(pool_);
  c.scoreboard.clear(pool_);
  c.in_use = false;
  ++c.generation;
  c.next_free = free_connections_;
  free_connections_ = index;
  --connections_used_;
}

void Stack::count(ipc::Counter counter, std::uint64_t amount) noexcept {
  counters_.add(counter, amount);
}

Verdict Stack::drop(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kAccepted:
      break;
    case Verdict::kBadHeader:
      count(ipc::Counter::kDropTcpMalformed);
      break;
    case Verdict::kBadFlags:
      count(ipc::Counter::kDropTcpFlags);
      break;
    case Verdict::kNoConnection:
      count(ipc::Counter::kDropTcpNoConnection);
      break;
    case Verdict::kNotAccepting:
      count(ipc::Counter::kDropTcpNotAccepting);
      break;
    case Verdict::kBacklogFull:
      count(ipc::Counter::kDropTcpBacklog);
      break;
    case Verdict::kOutOfWindow:
      count(ipc::Counter::kDropTcpOutOfWindow);
      break;
    case Verdict::kOldTimestamp:
      count(ipc::Counter::kDropTcpOldTimestamp);
      break;
    case Verdict::kChallenged:
      count(ipc::Counter::kDropTcpChallenged);
      break;
    case Verdict::kBadAck:
      count(ipc::Counter::kDropTcpBadAck);
      break;
    case Verdict::kNoMemory:
      count(ipc::Counter::kDropTcpNoMemory);
      break;
  }
  return verdict;
}

void Stack::raise(Connection& c, EventKind kind) noexcept {
  if (c.released) return;
  c.events = static_cast<std::uint8_t>(c.events | 1U << static_cast<unsigned>(kind));
  events_.push_back(index_of(c));
}

void Stack::want_output(Connection& c) noexcept {
  output_.push_back(index_of(c));
}

void Stack::push_control(const FlowKey& key, const Header& header) noexcept {
  if (control_size_ == kControlRing) {
    count(ipc::Counter::kDropTcpControlFull);
    return;
  }
  Control& control = control_[(control_head_ + control_size_) % kControlRing];
  ++control_size_;
  control.key = key;
  control.header = header;
  control.header.source_port = key.local_port;
  control.header.destination_port = key.remote_port;
}

// RFC 9293 3.5.2 group 1: the reset to a segment of no connection takes its numbers from the
// segment.
void Stack::push_reset(const Arrival& a) noexcept {
  if (a.header.has(kRst) || !may_reset(a.now)) return;
  Header reset;
  if (a.header.has(kAck)) {
    reset.flags = kRst;
    reset.sequence = a.header.acknowledgment;
  } else {
    reset.flags = kRst | kAck;
    const auto length = static_cast<std::uint32_t>(a.payload.size()) +
                        (a.header.has(kSyn) ? 1U : 0U) + (a.header.has(kFin) ? 1U : 0U);
    reset.acknowledgment = a.header.sequence + length;
  }
  count(ipc::Counter::kTcpResetsSent);
  push_control(a.key, reset);
}

// One budget a second. The size of the challenge budget differs from second to second in a way that
// only the secret tells, so that it cannot be used to learn about other connections
// (CVE-2016-5696).
void Stack::renew_budgets(base::Time now) noexcept {
  const std::int64_t second = now.time_since_epoch() / std::chrono::seconds(1);
  if (second == second_) return;
  second_ = second;
  alignas(16) std::uint8_t block[16] = {};
  std::memcpy(block, &second, sizeof second);
  const std::uint64_t noise = base::keyed_hash(config_.sequence_secret, block, sizeof block);
  challenges_left_ = config_.challenge_acks_per_s / 2 +
                     static_cast<std::uint32_t>(noise % (config_.challenge_acks_per_s + 1));
  resets_left_ = config_.resets_per_s;
}

bool Stack::may_challenge(base::Time now) noexcept {
  renew_budgets(now);
  if (challenges_left_ == 0) return false;
  --challenges_left_;
  return true;
}

bool Stack::may_reset(base::Time now) noexcept {
  renew_budgets(now);
  if (resets_left_ == 0) return false;
  --resets_left_;
  return true;
}

std::uint32_t Stack::timestamp(std::uint32_t offset, base::Time now) const noexcept {
  const auto ms = now.time_since_epoch() / std::chrono::milliseconds(1);
  return static_cast<std::uint32_t>(ms) + offset;
}

void Stack::set_accepting(bool accepting) noexcept {
  accepting_ = accepting;
}
std::uint32_t Stack::connection_count() const noexcept {
  return connections_used_;
}
std::uint32_t Stack::half_open_count() const noexcept {
  return half_open_used_;
}
std::uint32_t Stack::time_wait_count() const noexcept {
  return time_wait_order_.size();
}
std::uint32_t Stack::free_chunks() const noexcept {
  return pool_.free();
}

}  // namespace brink::tcp
