// PROXY headers: those that relays in front of the edge begin their connections with, and those
// that the edge's own connections to origins begin with where the zone wants it.
#include <algorithm>
#include <array>

#include "l7/proxy/stage.h"
#include "l7/proxy_protocol/header.h"

namespace brink::l7::proxy {

// ---- from relays ----

// Only they are asked for a header, and every one of theirs has to have it: from anybody else it
// could be forged, and without it the relay would pass for the client.
bool Stage::is_relay(const base::IpAddress& address) const noexcept {
  return std::any_of(config_.proxy_protocol_from.begin(), config_.proxy_protocol_from.end(),
                     [&](const base::IpPrefix& prefix) { return prefix.contains(address); });
}

void Stage::on_relay_event(std::uint32_t c, const transport::Event& event) noexcept {
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
      counters_.add(ipc::Counter::kDropProxyHeader);
      return free_client(c);
  }
}

// It stays in the receive queue until there is all of it.
void Stage::read_proxy_header(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  std::array<std::uint8_t, proxy_protocol::kLookMax> look;
  const std::size_t there = transport_.peek(client.id, 0, look);
  proxy_protocol::Header header;
  switch (proxy_protocol::read_header(std::span(look).first(there), header)) {
    case proxy_protocol::Verdict::kIncomplete:
      return;
    case proxy_protocol::Verdict::kMalformed:
      return refuse_relay(c);
    case proxy_protocol::Verdict::kOk:
      break;
  }
  if (transport_.readable_bytes(client.id, now_) < header.size) return;
  transport_.consume(client.id, header.size, now_);
  if (header.addresses) {
    client.address = header.addresses->source.address;
    client.remote_port = header.addresses->source.port;
    client.destination = header.addresses->destination;
  }
  counters_.add(ipc::Counter::kProxyHeaders);
  client.awaits_header = false;
  client.deadline = now_ + config_.keep_alive_timeout;
  begin_client(c);
}

void Stage::refuse_relay(std::uint32_t c) noexcept {
  counters_.add(ipc::Counter::kDropProxyHeader);
  abort_client(c);
}

// ---- to origins ----

bool Stage::announces_clients(const Exchange& exchange) const noexcept {
  return exchange.settings.origin_proxy != route::OriginProxy::kOff;
}

// The connection's first bytes, before TLS. False: there is no room for them.
bool Stage::announce_client(const Exchange& exchange) noexcept {
  if (!announces_clients(exchange)) return true;
  const Client& client = clients_[exchange.client];
  const auto version = exchange.settings.origin_proxy == route::OriginProxy::kV1
                           ? proxy_protocol::Version::kV1
                           : proxy_protocol::Version::kV2;
  std::array<std::uint8_t, proxy_protocol::kWrittenMax> out;
  const std::size_t size = proxy_protocol::write_header(
      version, {{client.address, client.remote_port}, client.destination}, out);
  return transport_.write(origins_[exchange.origin].id, std::span(out).first(size), now_) == size;
}

// Nobody else may use them.
void Stage::drop_own_origins(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (!client.has_own_origins) return;
  client.has_own_origins = false;
  for (std::uint32_t o = pool_.evict_of(client.number); o != origin::kNone;
       o = pool_.evict_of(client.number)) {
    if (origins_[o].state != OriginState::shared) {
      drop_origin(o, true);
      continue;
    }
    // Its own events may be what the client ends by.
    origins_[o].orphaned = true;
    push_origin_flush(o);
  }
}

}  // namespace brink::l7::proxy
