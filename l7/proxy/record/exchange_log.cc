#include "l7/proxy/record/exchange_log.h"

namespace brink::l7::proxy {

void ExchangeLog::note_arrival(Exchange& exchange) noexcept {
  const Client& client = clients_[exchange.client];
  exchange.noted_at = turn_.now;
  exchange.entry.unix_ns = turn_.unix_ns();
  exchange.entry.client = client.address;
  exchange.entry.client_port = client.remote_port;
  exchange.entry.edge_port = client.port;
}

void ExchangeLog::note_request(Exchange& exchange, const http::RequestHead& request,
                               std::size_t head_size) noexcept {
  log::Notes& notes = notes_[exchanges_.index_of(exchange)];
  note_arrival(exchange);
  exchange.entry.version = request.version;
  exchange.entry.request_bytes = head_size;
  if (turn_.config.access_log == nullptr) return;
  const http::Fields& fields = request.fields;
  const auto field = [&](log::Text which, http::FieldName name) {
    const http::Field* const found = fields.find(name);
    if (found != nullptr) notes.put(which, fields.value(*found));
  };
  notes.put(log::Text::method, fields.text(request.method_text));
  notes.put(log::Text::host, request.authority.host());
  notes.put(log::Text::target, fields.text(request.target));
  field(log::Text::referer, http::FieldName::referer);
  field(log::Text::user_agent, http::FieldName::user_agent);
}

void ExchangeLog::note_zone(const Exchange& exchange, std::string_view zone) noexcept {
  notes_[exchanges_.index_of(exchange)].put(log::Text::zone, zone);
}

void ExchangeLog::note_error(Exchange& exchange, EdgeError error) noexcept {
  if (exchange.noted_at == base::Time{}) note_arrival(exchange);
  const EdgeErrorInfo& info = info_of(error);
  exchange.entry.status = info.status;
  exchange.entry.error_type = info.type;
}

void ExchangeLog::close(Exchange& exchange) noexcept {
  log::Entry& entry = exchange.entry;
  if (entry.status == 0) entry.status = log::kClientGone;
  entry.request_bytes += exchange.request_body.moved_bytes();
  if (!exchange.coded) entry.response_bytes += exchange.response_body.moved_bytes();
  entry.duration_us = us_between(exchange.noted_at, turn_.now);
  entry.origin = exchange.remote.address;
  entry.origin_port = exchange.remote.port;
  entry.retries = static_cast<std::uint8_t>(exchange.failed_over + exchange.replayed);
  if (exchange.reused) entry.flags |= log::kOriginReused;
  entry.ray = exchange.ray;
}

void ExchangeLog::write(const Exchange& exchange) noexcept {
  if (turn_.config.access_log == nullptr) return;
  const log::Notes& notes = notes_[exchanges_.index_of(exchange)];
  const log::Entry& entry = exchange.entry;
  const std::span<std::byte> room = turn_.config.access_log->reserve(log::packed_size(notes));
  if (room.empty()) return turn_.counters.add(ipc::Counter::kAccessLogDropped);
  log::pack(entry, notes, room);
  turn_.config.access_log->commit();
}

}  // namespace brink::l7::proxy
