#include "l7/proxy/client/proxy_headers.h"

#include <algorithm>
#include <array>

#include "l7/proxy_protocol/header.h"

namespace brink::l7::proxy {

bool ProxyHeaders::is_relay(const base::IpAddress& address) const noexcept {
  const std::span<const base::IpPrefix> relays = turn_.config.proxy_protocol_from;
  return std::any_of(relays.begin(), relays.end(),
                     [&](const base::IpPrefix& prefix) { return prefix.contains(address); });
}

ProxyHeaders::Verdict ProxyHeaders::read(Client& client) noexcept {
  std::array<std::uint8_t, proxy_protocol::kLookMax> look;
  const std::size_t there = turn_.transport.peek(client.id, 0, look);
  proxy_protocol::Header header;
  switch (proxy_protocol::read_header(std::span(look).first(there), header)) {
    case proxy_protocol::Verdict::kIncomplete:
      return Verdict::incomplete;
    case proxy_protocol::Verdict::kMalformed:
      return Verdict::malformed;
    case proxy_protocol::Verdict::kOk:
      break;
  }
  if (turn_.transport.readable_bytes(client.id, turn_.now) < header.size)
    return Verdict::incomplete;
  turn_.transport.consume(client.id, header.size, turn_.now);
  if (header.addresses) {
    client.address = header.addresses->source.address;
    client.remote_port = header.addresses->source.port;
    client.destination = header.addresses->destination;
  }
  turn_.counters.add(ipc::Counter::kProxyHeaders);
  client.awaits_header = false;
  client.deadline = turn_.now + turn_.config.keep_alive_timeout;
  return Verdict::ok;
}

}  // namespace brink::l7::proxy
