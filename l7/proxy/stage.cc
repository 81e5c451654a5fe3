#include "l7/proxy/stage.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace brink::l7::proxy {
namespace {

// A sweep over what is in use is cheaper than a timer per state change: all timeouts are seconds.
constexpr base::Duration kSweepInterval = std::chrono::milliseconds(100);

}  // namespace

std::size_t Stage::memory_size(const StageConfig& config) noexcept {
  return carve_memory(nullptr, config).size_bytes;
}

Stage::Stage(const StageConfig& config, std::span<std::byte> memory,
             transport::Transport& transport, ipc::WorkerCounters& counters) noexcept
    : Stage(config,
            (CHECK(memory.size() >= memory_size(config) &&
                   reinterpret_cast<std::uintptr_t>(memory.data()) % 64 == 0),
             carve_memory(memory.data(), config)),
            transport, counters) {}

Stage::Stage(const StageConfig& config, const StageMemory& memory, transport::Transport& transport,
             ipc::WorkerCounters& counters) noexcept
    : turn_{.config = config,
            .transport = transport,
            .counters = counters,
            .scratch = memory.scratch,
            .random_state = config.random_seed},
      clients_(memory.clients),
      exchanges_(memory.exchanges, buffer_size_of(config)),
      log_(turn_, clients_, exchanges_, memory.notes),
      traffic_(turn_),
      books_(turn_, memory.records),
      origin_tls_(turn_),
      origin_sessions_(turn_, memory.origin_sessions),
      origins_(turn_, clients_, exchanges_, books_, origin_sessions_, memory.origins),
      races_(turn_, exchanges_, books_, origins_),
      client_tls_(turn_, clients_),
      proxy_headers_(turn_),
      sessions_(turn_, clients_, memory.sessions),
      connections_(turn_, clients_, client_tls_, origins_, memory.ready),
      output_(turn_, clients_, exchanges_, sessions_),
      bodies_(turn_, clients_, exchanges_, sessions_, origins_),
      codings_(turn_, clients_, exchanges_, bodies_, memory.codings),
      trailers_(exchanges_),
      rules_(turn_, clients_, exchanges_, client_tls_, memory.rules.front()),
      pages_(turn_, clients_, memory.page),
      lifecycle_(turn_, {clients_, exchanges_, connections_, sessions_, output_, books_, origins_,
                         codings_, log_, traffic_}),
      answers_(turn_, {clients_, exchanges_, connections_, output_, books_, origins_, pages_, log_,
                       traffic_, lifecycle_}),
      responses_(turn_, {clients_, exchanges_, books_, origins_, codings_, rules_, output_,
                         answers_, traffic_}),
      relay_(turn_, {clients_, exchanges_, sessions_, output_, origins_, bodies_, codings_,
                     trailers_, responses_, answers_, lifecycle_}),
      attempts_(turn_, {exchanges_, books_, origin_sessions_, origins_, races_, origin_tls_, relay_,
                        answers_, lifecycle_, traffic_}),
      requests_(turn_, {clients_, exchanges_, client_tls_, origin_tls_, rules_, codings_, answers_,
                        attempts_, log_}),
      timeouts_(turn_, exchanges_, origins_, attempts_, answers_, lifecycle_),
      client_streams_(turn_, {clients_, exchanges_, connections_, sessions_, requests_, relay_,
                              answers_, lifecycle_, trailers_, log_}),
      client_events_(
          turn_, {clients_, exchanges_, connections_, client_tls_, proxy_headers_, client_streams_,
                  requests_, relay_, answers_, lifecycle_, timeouts_, log_, traffic_}),
      origin_streams_(turn_, {exchanges_, origins_, origin_sessions_, attempts_, responses_,
                              trailers_, relay_, answers_, lifecycle_}),
      origin_events_({exchanges_, origins_, races_, attempts_, origin_streams_, relay_}) {
  sessions_.set_source(relay_.response_source());
  origin_sessions_.set_source(relay_.request_source());
  CHECK(config.colo.size() == 3);
  CHECK(config.request_limits.head_max <= http1::kHeadMaxCeiling &&
        config.response_limits.head_max <= http1::kHeadMaxCeiling);
}

void Stage::run(const snapshot::View& view, base::Time now) noexcept {
  begin_turn(view, now);
  transport::Event event;
  while (turn_.transport.next_event(event, now)) on_event(event);
  races_.take_due();
  relay_.resume_coded();
  client_events_.take_ready();
  origin_streams_.flush();
  client_streams_.flush();
  if (now >= next_sweep_) sweep();
  end_turn();
}

void Stage::begin_turn(const snapshot::View& view, base::Time now) noexcept {
  const StageConfig& config = turn_.config;
  turn_.view = &view;
  turn_.now = now;
  // The acquire is for whoever publishes it, with a release.
  if (config.countries != nullptr) {
    turn_.countries = config.countries->load(std::memory_order_acquire);
  }
  if (config.credentials != nullptr) config.credentials->begin(view, turn_.unix_s());
}

void Stage::end_turn() noexcept {
  if (turn_.config.credentials != nullptr) turn_.config.credentials->end();
  turn_.view = nullptr;
  turn_.countries = nullptr;
}

base::Time Stage::next_deadline() const noexcept {
  if (connections_.ready_count() + sessions_.flush_count() + origin_sessions_.flush_count() +
          codings_.resting_count() >
      0) {
    return turn_.now;
  }
  if (clients_.used() == 0 && origins_.used() == 0) return base::Time::max();
  return std::min({next_sweep_, codings_.next_flush(), origins_.next_race()});
}

// Events of connections that we have forgotten, or whose slot is another's by now, are dropped.
void Stage::on_event(const transport::Event& event) noexcept {
  if (event.kind == transport::EventKind::kAccepted) return client_events_.accepted(event.id);
  const auto index = static_cast<std::uint32_t>(event.user);
  switch (event.user >> kUserKindShift) {
    case kClientKind:
      if (clients_[index].state != ClientState::free && clients_[index].id == event.id) {
        client_events_.on_event(index, event);
      }
      return;
    case kOriginKind:
      if (origins_[index].state != OriginState::free && origins_[index].id == event.id) {
        origin_events_.on_event(index, event);
      }
      return;
    default:
      return;
  }
}

void Stage::sweep() noexcept {
  next_sweep_ = turn_.now + kSweepInterval;
  for (std::uint32_t c = 0; c < clients_.size(); ++c) {
    if (clients_[c].state != ClientState::free) client_events_.check(c);
  }
  if (sessions_.used() > 0) {
    for (std::uint32_t x = 0; x < exchanges_.size(); ++x) {
      if (exchanges_[x].stream != 0) timeouts_.check(x);
    }
  }
  origins_.sweep();
}

}  // namespace brink::l7::proxy
