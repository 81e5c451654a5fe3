#include "l7/proxy/client/client_output.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/http1/head_writer.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {

ConnectionField ClientOutput::connection_field(const Exchange& exchange) const noexcept {
  const Client& client = clients_[exchange.client];
  if (exchange.stream != 0) return ConnectionField::none;
  if (!exchange.keep_alive || exchange.close_client || turn_.draining || client.peer_closed) {
    return ConnectionField::close;
  }
  return exchange.version == http::Version::http_1_0 ? ConnectionField::keep_alive
                                                     : ConnectionField::none;
}

ZoneFields ClientOutput::zone_fields(const Exchange& exchange) const noexcept {
  return {exchange.settings, clients_[exchange.client].secure};
}

void ClientOutput::queue(std::uint32_t x, std::size_t size) noexcept {
  Exchange& exchange = exchanges_[x];
  CHECK(size <= turn_.scratch.size() && exchange.pending_sent == exchange.pending_size);
  const std::span<const char> text(turn_.scratch.data(), size);
  const std::size_t written =
      turn_.transport.write(clients_[exchange.client].id, as_octets(text), turn_.now);
  exchange.last_progress = turn_.now;
  exchange.entry.response_bytes += size;
  exchange.pending_sent = 0;
  exchange.pending_size = static_cast<std::uint32_t>(size - written);
  std::memcpy(exchanges_.in(x).data(), turn_.scratch.data() + written, size - written);
}

bool ClientOutput::flush(Exchange& exchange) noexcept {
  if (exchange.pending_sent == exchange.pending_size) return true;
  const std::uint32_t x = exchanges_.index_of(exchange);
  const std::span<const char> rest = exchanges_.in(x).subspan(
      exchange.pending_sent, exchange.pending_size - exchange.pending_sent);
  const std::size_t written =
      turn_.transport.write(clients_[exchange.client].id, as_octets(rest), turn_.now);
  if (written > 0) exchange.last_progress = turn_.now;
  exchange.pending_sent += static_cast<std::uint32_t>(written);
  if (exchange.pending_sent < exchange.pending_size) return false;
  exchange.pending_sent = exchange.pending_size = 0;
  return true;
}

void ClientOutput::drop_inbox(Exchange& exchange) noexcept {
  sessions_.session_of(exchange).consumed(exchange.stream, exchange.inbox.size());
  exchange.inbox.clear(exchanges_.blocks());
}

// A response that ends before its request does needs a body, if an empty one: its end, asked for in
// pull_body(), is when the rest of the request is given up.
void ClientOutput::respond(std::uint32_t x, const http2::HeadWriter& head, bool has_body) noexcept {
  const Exchange& exchange = exchanges_[x];
  const bool asked = has_body || !exchange.request_done;
  sessions_.session_of(exchange).respond(exchange.stream, head,
                                         asked ? http2::Body::source : http2::Body::none);
  sessions_.push_flush(exchange.client);
}

void ClientOutput::respond_composed(std::uint32_t x, const http2::HeadWriter& head,
                                    std::string_view body) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_inbox(exchange);
  if (exchange.stream_ended) exchange.request_done = true;
  exchange.entry.response_bytes += head.size() + body.size();
  exchange.pending_sent = 0;
  exchange.pending_size = static_cast<std::uint32_t>(body.size());
  if (!body.empty()) std::memcpy(exchanges_.in(x).data(), body.data(), body.size());
  respond(x, head, !body.empty());
}

bool ClientOutput::write(std::uint32_t x, const http::ResponseHead& response,
                         const ResponseContext& context, bool wanted, std::size_t& size) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.stream == 0) {
    http1::HeadWriter writer(turn_.scratch);
    write_client_response(writer, response, context);
    size = writer.size();
    return writer.ok();
  }
  if (!wanted) return true;
  http2::HeadWriter writer(turn_.scratch);
  write_client_response(writer, response, context);
  size = writer.size();
  if (!writer.ok()) return false;
  if (response.status >= 200 || context.switched != Switched::none) {
    const bool has_body =
        response.body.kind != http::BodyKind::none || context.switched != Switched::none;
    respond(x, writer, has_body);
  } else {
    sessions_.session_of(exchange).interim(exchange.stream, writer);
    sessions_.push_flush(exchange.client);
  }
  return true;
}

void ClientOutput::send(std::uint32_t x, std::size_t size) noexcept {
  if (exchanges_[x].stream == 0) return queue(x, size);
  exchanges_[x].entry.response_bytes += size;
}

}  // namespace brink::l7::proxy
