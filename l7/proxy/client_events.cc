#include "l7/proxy/client_events.h"

#include <algorithm>
#include <cstring>

#include "l7/http1/request_parser.h"
#include "l7/proxy/state/ray.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

// The connection says what the scheme is, and a target cannot say another (RFC 9110 7.4).
bool is_scheme_of(const Client& client, http::Scheme said) noexcept {
  return said == http::Scheme::unsaid || (said == http::Scheme::https) == client.secure;
}

}  // namespace

ClientEvents::ClientEvents(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      connections_(uses.connections),
      client_tls_(uses.client_tls),
      proxy_headers_(uses.proxy_headers),
      streams_(uses.streams),
      requests_(uses.requests),
      relay_(uses.relay),
      answers_(uses.answers),
      lifecycle_(uses.lifecycle),
      timeouts_(uses.timeouts),
      log_(uses.log),
      traffic_(uses.traffic) {}

void ClientEvents::accepted(tcp::ConnectionId id) noexcept {
  const std::uint32_t c = connections_.accept(id);
  if (c == kNoIndex) return;
  Client& client = clients_[c];
  if (!proxy_headers_.is_relay(client.address)) return begin(c);
  client.awaits_header = true;
  client.deadline = turn_.now + turn_.config.handshake_timeout;
  read_proxy_header(c);
}

// Its own bytes come next.
void ClientEvents::begin(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client_tls_.is_https_port(client.port)) {
    client.secure = true;
    client.deadline = turn_.now + turn_.config.handshake_timeout;
    if (!client_tls_.begin(c)) connections_.abort(c);
    return;
  }
  connections_.push_ready(c);  // bytes may have come with the handshake
}

void ClientEvents::on_event(std::uint32_t c, const transport::Event& event) noexcept {
  Client& client = clients_[c];
  if (client.awaits_header) return on_relay_event(c, event);
  if (client.session != kNoIndex) return streams_.on_event(c, event);
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
      return;
    case transport::EventKind::kSecured:
      return secured(c);
    case transport::EventKind::kFailed:
      return security_failed(c);
    case transport::EventKind::kReadable:
      return read(c);
    case transport::EventKind::kWritable:
      if (client.exchange != kNoIndex) relay_.drive(client.exchange);
      return;
    case transport::EventKind::kPeerClosed:
      return peer_closed(c, event);
    case transport::EventKind::kClosed:
      if (client.exchange != kNoIndex) {
        lifecycle_.lose_client(client.exchange);
        lifecycle_.abandon(client.exchange);
      }
      client_tls_.note_unfinished(client);
      return connections_.free(c);
  }
}

void ClientEvents::peer_closed(std::uint32_t c, const transport::Event& event) noexcept {
  Client& client = clients_[c];
  client.peer_closed = true;
  if (client.state == ClientState::lingering) return;
  if (client.exchange == kNoIndex) return connections_.close(c);
  Exchange& exchange = exchanges_[client.exchange];
  if (exchange.tunnel && !event.truncated) {
    exchange.request_body.input_ended();
    return relay_.drive(client.exchange);
  }
  // A half-closed client still gets its response, if its request was complete; but nothing can be
  // written any more after an end of TCP that TLS did not announce.
  if ((exchange.request_done && !event.truncated) || exchange.phase == Phase::answering) return;
  lifecycle_.lose_client(client.exchange);
  lifecycle_.abort_client(c);
}

// ---- before the first request ----

void ClientEvents::on_relay_event(std::uint32_t c, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
    case transport::EventKind::kWritable:
      return;
    case transport::EventKind::kReadable:
      return read_proxy_header(c);
    case transport::EventKind::kPeerClosed:
    case transport::EventKind::kFailed:
      return refuse_relay(c);
    case transport::EventKind::kClosed:
      turn_.counters.add(ipc::Counter::kDropProxyHeader);
      return connections_.free(c);
  }
}

void ClientEvents::read_proxy_header(std::uint32_t c) noexcept {
  switch (proxy_headers_.read(clients_[c])) {
    case ProxyHeaders::Verdict::incomplete:
      return;
    case ProxyHeaders::Verdict::malformed:
      return refuse_relay(c);
    case ProxyHeaders::Verdict::ok:
      return begin(c);
  }
}

void ClientEvents::refuse_relay(std::uint32_t c) noexcept {
  turn_.counters.add(ipc::Counter::kDropProxyHeader);
  connections_.abort(c);
}

void ClientEvents::secured(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  client.secured = true;
  client.deadline = turn_.now + turn_.config.keep_alive_timeout;
  const tls::ConnectionInfo& agreed = turn_.transport.security(client.id)->info();
  turn_.counters.add(ipc::Counter::kTlsHandshakes);
  if (agreed.resumed) {
    turn_.counters.add(ipc::Counter::kTlsResumed);
    if (turn_.config.handshakes != nullptr) turn_.config.handshakes->resumed(client.address);
  }
  traffic_.count_handshake(agreed);
  if (!client_tls_.read_certificate(c)) {
    answers_.count_error(EdgeError::overloaded);
    return lifecycle_.abort_client(c);
  }
  if (agreed.protocol == tls::Alpn::kH2 && !streams_.open(c)) {
    answers_.count_error(EdgeError::overloaded);
    lifecycle_.abort_client(c);
  }
}

// The alert goes out, and the connection with it.
void ClientEvents::security_failed(std::uint32_t c) noexcept {
  turn_.counters.add(ipc::Counter::kTlsFailed);
  const std::uint32_t x = clients_[c].exchange;
  if (x != kNoIndex) {
    lifecycle_.lose_client(x);
    lifecycle_.abandon(x);
  }
  connections_.close(c);
}

// ---- requests ----

void ClientEvents::take_ready() noexcept {
  for (std::uint32_t n = connections_.ready_count(); n > 0; --n) {
    const std::uint32_t c = connections_.pop_ready();
    clients_[c].ready = false;
    if (clients_[c].state == ClientState::open && clients_[c].exchange == kNoIndex) read(c);
  }
}

void ClientEvents::read(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.awaits_header) return read_proxy_header(c);
  if (client.state == ClientState::lingering) return connections_.drain(c);
  if (client.session != kNoIndex) return streams_.read(c);
  if (client.exchange == kNoIndex) {
    if (turn_.transport.readable(client.id, turn_.now).empty()) return;
    client.exchange = lifecycle_.acquire(c);
    if (client.exchange == kNoIndex) return answers_.overload(c);
  }
  const std::uint32_t x = client.exchange;
  if (exchanges_[x].phase == Phase::reading_head) return read_request(x);
  relay_.drive(x);
}

// Parses straight from the receive queue when the head lies there in one piece, and gathers it in
// the exchange's buffer when it does not. Never consumes beyond the head.
void ClientEvents::read_request(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const Client& client = clients_[exchange.client];
  const std::span<char> in = exchanges_.in(x);
  for (;;) {
    const std::string_view fresh = as_text(turn_.transport.readable(client.id, turn_.now));
    if (fresh.empty()) return;
    const std::uint32_t before = exchange.gathered;
    const std::size_t room = turn_.config.request_limits.head_max - before;
    const std::size_t added = std::min(fresh.size(), room);
    std::string_view text = fresh;
    if (before != 0) {
      std::memcpy(in.data() + before, fresh.data(), added);
      text = {in.data(), before + added};
    }
    std::uint32_t head_size = 0;
    http1::Verdict verdict = http1::parse_request(text, turn_.config.request_limits, client.port,
                                                  exchange.progress, parsed_, head_size);
    if (verdict == http1::Verdict::ok && !is_scheme_of(client, parsed_.scheme)) {
      verdict = http1::Verdict::bad_target;
    }
    if (verdict == http1::Verdict::ok) {
      log_.note_request(exchange, parsed_, head_size);
      return requests_.begin(x, parsed_, head_size - before);
    }
    if (verdict != http1::Verdict::incomplete) {
      turn_.counters.add(ipc::Counter::kHttpBadRequests);
      exchange.ray = make_ray(turn_);
      exchange.close_client = true;
      return answers_.error(x, error_of(verdict));
    }
    if (before == 0) std::memcpy(in.data(), fresh.data(), added);
    exchange.gathered = before + static_cast<std::uint32_t>(added);
    turn_.transport.consume(client.id, added, turn_.now);
  }
}

void ClientEvents::check(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.session != kNoIndex) return streams_.check(c);
  if (client.state == ClientState::open && client.exchange != kNoIndex) {
    return timeouts_.check(client.exchange);
  }
  const bool idle_while_draining =
      turn_.draining && client.state == ClientState::open && !client.ready;
  if (turn_.now < client.deadline && !idle_while_draining) return;
  if (client.awaits_header) return refuse_relay(c);
  client_tls_.note_unfinished(client);
  connections_.close(c);
}

}  // namespace brink::l7::proxy
