#include "l7/proxy/origin/origin_books.h"

#include <algorithm>

namespace brink::l7::proxy {

OriginBooks::OriginBooks(Turn& turn, std::span<origin::OriginRecord> records) noexcept
    : turn_(turn),
      health_(turn.config.hash_key, turn.config.suspect_time),
      records_(records, turn.config.hash_key) {}

std::uint32_t OriginBooks::find(const base::Endpoint& endpoint) noexcept {
  return records_.find(endpoint, turn_.now);
}

std::size_t OriginBooks::choose(const Exchange& exchange, std::uint32_t but) noexcept {
  const std::span<const base::Endpoint> origins(exchange.route.origins.data(),
                                                exchange.route.origin_count);
  return balancer::choose_origin(origins, but, turn_.random(), health_, turn_.now);
}

bool OriginBooks::may_request(const Exchange& exchange, std::uint32_t record,
                              EdgeError& why) noexcept {
  if (record == kNoIndex) return true;
  origin::OriginRecord& of = records_[record];
  const std::uint32_t most = turn_.config.origin_limits.requests;
  if (most != 0 && of.requests >= most) {
    why = EdgeError::origin_busy;
    return false;
  }
  if (!exchange.failed_over || of.retries.take(turn_.config.retries, turn_.now)) return true;
  turn_.counters.add(ipc::Counter::kHttpRetriesRefused);
  return false;
}

bool OriginBooks::may_connect(std::uint32_t record, EdgeError& why) noexcept {
  origin::Circuit& circuit = records_[record].circuit;
  if (circuit.admit(turn_.config.circuit, turn_.now)) return true;
  turn_.counters.add(ipc::Counter::kHttpOriginEjected);
  why = static_cast<EdgeError>(circuit.reason());
  return false;
}

void OriginBooks::charge(Exchange& exchange, std::uint32_t record) noexcept {
  discharge(exchange);
  exchange.record = record;
  if (record != kNoIndex) ++records_[record].requests;
}

void OriginBooks::discharge(Exchange& exchange) noexcept {
  end_pending(exchange);
  if (exchange.record != kNoIndex) --records_[exchange.record].requests;
  exchange.record = kNoIndex;
}

void OriginBooks::begin_pending(Exchange& exchange) noexcept {
  if (exchange.record == kNoIndex || exchange.pending) return;
  exchange.pending = true;
  ++records_[exchange.record].pending;
}

void OriginBooks::end_pending(Exchange& exchange) noexcept {
  if (!exchange.pending) return;
  exchange.pending = false;
  --records_[exchange.record].pending;
}

void OriginBooks::note_request(std::uint32_t record) noexcept {
  if (record != kNoIndex) records_[record].retries.note_request(turn_.config.retries, turn_.now);
}

void OriginBooks::note_connected(std::uint32_t record) noexcept {
  if (record != kNoIndex) records_[record].circuit.report_success();
}

void OriginBooks::note_unconnected(const base::Endpoint& remote, std::uint32_t record,
                                   EdgeError error) noexcept {
  note_failure(remote);
  if (record == kNoIndex) return;
  if (records_[record].circuit.report_failure(turn_.config.circuit,
                                              static_cast<std::uint8_t>(error), turn_.now)) {
    turn_.counters.add(ipc::Counter::kHttpOriginEjections);
  }
}

void OriginBooks::note_failure(const base::Endpoint& remote) noexcept {
  health_.report_failure(remote, turn_.now);
}

void OriginBooks::note_success(const base::Endpoint& remote) noexcept {
  health_.report_success(remote);
}

void OriginBooks::note_idle_end(std::uint32_t record, base::Duration idle) noexcept {
  if (record != kNoIndex) records_[record].idle.note_closed(idle, turn_.now);
}

void OriginBooks::note_keep_alive(const Exchange& exchange,
                                  const http::ResponseHead& response) noexcept {
  const http::Field* const field = response.fields.find(http::FieldName::keep_alive);
  if (field == nullptr || exchange.record == kNoIndex) return;
  const auto timeout = origin::keep_alive_timeout(response.fields.value(*field));
  if (timeout) records_[exchange.record].idle.note_stated(*timeout, turn_.now);
}

base::Duration OriginBooks::usable_idle(std::uint32_t record) noexcept {
  return record == kNoIndex ? base::Duration::max() : records_[record].idle.usable(turn_.now);
}

}  // namespace brink::l7::proxy
