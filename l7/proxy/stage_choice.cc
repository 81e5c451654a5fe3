// Which origin address a request goes to: limits, circuits and retry budgets, and what the stage
// notes for them.
#include <algorithm>

#include "l7/proxy/stage.h"

namespace brink::l7::proxy {

// Tries the addresses that are left, in the balancer's order, until one may have the request.
// `otherwise` is answered when none may and none says why.
void Stage::start_origin(std::uint32_t x, EdgeError otherwise) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::span<const base::Endpoint> origins(exchange.route.origins.data(),
                                                exchange.route.origin_count);
  std::uint32_t refused = 0;
  for (std::size_t left = origins.size(); left > 0; --left) {
    const std::size_t i =
        balancer::choose_origin(origins, exchange.tried | refused, next_random(), health_, now_);
    if (i == balancer::kNoOrigin) break;
    if (use_origin(x, i, otherwise)) return;
    refused |= 1U << i;
  }
  exchange.failed_over = false;  // it would have been this
  answer_error(x, otherwise);
}

bool Stage::use_origin(std::uint32_t x, std::size_t i, EdgeError& why) noexcept {
  Exchange& exchange = exchanges_[x];
  const base::Endpoint remote = exchange.route.origins[i];
  const std::uint32_t record = records_.find(remote, now_);
  if (!may_request(exchange, record, why)) return false;
  base::Duration max_idle = usable_idle(record);
  if (!http::is_idempotent(exchange.method)) {
    max_idle = std::min(max_idle, config_.unsafe_reuse_max_idle);
  }
  // A connection that stands may be used whatever happens to new ones.
  const std::uint32_t pooled = take_pooled(key_of(exchange, remote), max_idle);
  if (pooled == origin::kNone && !may_connect(record, why)) return false;
  exchange.tried |= 1U << i;
  if (exchange.failed_over) {
    counters_.add(ipc::Counter::kHttpOriginRetries);
    count_origin(remote, ipc::OriginCounter::kRetries);
  } else if (record != kNoIndex) {
    records_[record].retries.note_request(config_.retries, now_);
  }
  charge(exchange, record);
  pooled == origin::kNone ? connect_fresh(x, remote) : use_pooled(x, pooled);
  return true;
}

bool Stage::may_request(const Exchange& exchange, std::uint32_t record, EdgeError& why) noexcept {
  if (record == kNoIndex) return true;
  origin::OriginRecord& of = records_[record];
  const std::uint32_t most = config_.origin_limits.requests;
  if (most != 0 && of.requests >= most) {
    why = EdgeError::origin_busy;
    return false;
  }
  if (!exchange.failed_over || of.retries.take(config_.retries, now_)) return true;
  counters_.add(ipc::Counter::kHttpRetriesRefused);
  return false;
}

bool Stage::may_connect(std::uint32_t record, EdgeError& why) noexcept {
  if (record == kNoIndex) return true;
  origin::OriginRecord& of = records_[record];
  const origin::OriginLimits& limits = config_.origin_limits;
  if (limits.connections != 0 && of.connections >= limits.connections) {
    // One that waits for others than this request makes room.
    const std::uint32_t idle = pool_.evict_at(of.endpoint);
    if (idle != origin::kNone) retire_origin(idle);
  }
  const bool is_full = limits.connections != 0 && of.connections >= limits.connections;
  if (is_full || (limits.pending != 0 && of.pending >= limits.pending)) {
    why = EdgeError::origin_busy;
    return false;
  }
  if (of.circuit.admit(config_.circuit, now_)) return true;
  counters_.add(ipc::Counter::kHttpOriginEjected);
  why = static_cast<EdgeError>(of.circuit.reason());
  return false;
}

// ---- what goes on ----

// The exchange counts for that origin from now on.
void Stage::charge(Exchange& exchange, std::uint32_t record) noexcept {
  discharge(exchange);
  exchange.record = record;
  if (record != kNoIndex) ++records_[record].requests;
}

void Stage::discharge(Exchange& exchange) noexcept {
  end_pending(exchange);
  if (exchange.record != kNoIndex) --records_[exchange.record].requests;
  exchange.record = kNoIndex;
}

void Stage::begin_pending(Exchange& exchange) noexcept {
  if (exchange.record == kNoIndex || exchange.pending) return;
  exchange.pending = true;
  ++records_[exchange.record].pending;
}

void Stage::end_pending(Exchange& exchange) noexcept {
  if (!exchange.pending) return;
  exchange.pending = false;
  --records_[exchange.record].pending;
}

// ---- what was learned ----

void Stage::note_connected(std::uint32_t o) noexcept {
  racing_.remove(o);
  if (origins_[o].record != kNoIndex) records_[origins_[o].record].circuit.report_success();
}

// No connection of TCP came to be.
void Stage::note_unconnected(std::uint32_t o, EdgeError error) noexcept {
  const OriginConnection& origin = origins_[o];
  health_.report_failure(origin.key.endpoint, now_);
  if (origin.record == kNoIndex) return;
  if (records_[origin.record].circuit.report_failure(config_.circuit,
                                                     static_cast<std::uint8_t>(error), now_)) {
    counters_.add(ipc::Counter::kHttpOriginEjections);
  }
}

// The origin has closed a connection that was idle for so long.
void Stage::note_idle_end(std::uint32_t record, base::Duration idle) noexcept {
  if (record != kNoIndex) records_[record].idle.note_closed(idle, now_);
}

void Stage::note_keep_alive(const Exchange& exchange) noexcept {
  const http::Field* const field = response_->fields.find(http::FieldName::keep_alive);
  if (field == nullptr || exchange.record == kNoIndex) return;
  const auto timeout = origin::keep_alive_timeout(response_->fields.value(*field));
  if (timeout) records_[exchange.record].idle.note_stated(*timeout, now_);
}

base::Duration Stage::usable_idle(std::uint32_t record) noexcept {
  return record == kNoIndex ? base::Duration::max() : records_[record].idle.usable(now_);
}

}  // namespace brink::l7::proxy
