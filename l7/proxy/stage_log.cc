// What the access log learns of an exchange on its way, and its entry at the end.
#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
void Stage::note_arrival(Exchange& exchange) noexcept {
  const Client& client = clients_[exchange.client];
  exchange.noted_at = now_;
  exchange.entry.unix_ns = (now_.time_since_epoch() + config_.wall_offset).count();
  exchange.entry.client = client.address;
  exchange.entry.client_port = client.remote_port;
  exchange.entry.edge_port = client.port;
}

// The head in request_ is complete.
void Stage::note_request(std::uint32_t x, std::size_t head_size) noexcept {
  Exchange& exchange = exchanges_[x];
  log::Notes& notes = notes_[x];
  note_arrival(exchange);
  exchange.entry.version = request_->version;
  exchange.entry.request_bytes = head_size;
  if (config_.access_log == nullptr) return;
  const http::Fields& fields = request_->fields;
  const auto field = [&](log::Text which, http::FieldName name) {
    const http::Field* const found = fields.find(name);
    if (found != nullptr) notes.put(which, fields.value(*found));
  };
  notes.put(log::Text::method, fields.text(request_->method_text));
  notes.put(log::Text::host, request_->authority.host());
  notes.put(log::Text::target, fields.text(request_->target));
  field(log::Text::referer, http::FieldName::referer);
  field(log::Text::user_agent, http::FieldName::user_agent);
}

// The edge answers with an error, perhaps before there was a whole head.
void Stage::note_error(Exchange& exchange, EdgeError error) noexcept {
  if (exchange.noted_at == base::Time{}) note_arrival(exchange);
  const EdgeErrorInfo& info = info_of(error);
  exchange.entry.status = info.status;
  exchange.entry.error_type = info.type;
}

// The exchange is over: its entry becomes whole.
void Stage::close_entry(Exchange& exchange) noexcept {
  log::Entry& entry = exchange.entry;
  if (entry.status == 0) entry.status = log::kClientGone;
  entry.request_bytes += exchange.request_body.moved_bytes();
  if (!exchange.coded) entry.response_bytes += exchange.response_body.moved_bytes();
  entry.duration_us = us_between(exchange.noted_at, now_);
  entry.origin = exchange.remote.address;
  entry.origin_port = exchange.remote.port;
  entry.retries = static_cast<std::uint8_t>(exchange.failed_over + exchange.replayed);
  if (exchange.reused) entry.flags |= log::kOriginReused;
  entry.ray = exchange.ray;
}

void Stage::log_exchange(std::uint32_t x) noexcept {
  if (config_.access_log == nullptr) return;
  const log::Entry& entry = exchanges_[x].entry;
  const std::span<std::byte> room = config_.access_log->reserve(log::packed_size(notes_[x]));
  if (room.empty()) return counters_.add(ipc::Counter::kAccessLogDropped);
  log::pack(entry, notes_[x], room);
  config_.access_log->commit();
}

}  // namespace brink::l7::proxy
