#include "l7/proxy/client/client_connections.h"

namespace brink::l7::proxy {

std::uint32_t ClientConnections::accept(tcp::ConnectionId id) noexcept {
  const std::uint32_t c = clients_.acquire();
  if (c == kNoIndex) {
    turn_.counters.add(ipc::Counter::kDropHttpClientLimit);
    turn_.transport.set_user(id, kForgotten);
    turn_.transport.abort(id, turn_.now);
    return c;
  }
  const tcp::ConnectionInfo info = turn_.transport.info(id);
  Client& client = clients_[c];
  // Stale entries of the rings stay valid for the new connection.
  const bool ready = client.ready;
  const bool flushing = client.flushing;
  client = Client{};
  client.ready = ready;
  client.flushing = flushing;
  client.id = id;
  client.state = ClientState::open;
  client.deadline = turn_.now + turn_.config.keep_alive_timeout;
  client.address = info.remote.address;
  client.remote_port = info.remote.port;
  client.port = info.local.port;
  client.destination = info.local;
  client.number = ++last_number_;
  turn_.transport.set_user(id, kClientKind << kUserKindShift | c);
  return c;
}

void ClientConnections::linger(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  turn_.transport.close(client.id, turn_.now);
  client.state = ClientState::lingering;
  client.deadline = turn_.now + turn_.config.linger_timeout;
  drain(c);
}

void ClientConnections::drain(std::uint32_t c) noexcept {
  const tcp::ConnectionId id = clients_[c].id;
  for (auto bytes = turn_.transport.readable(id, turn_.now); !bytes.empty();
       bytes = turn_.transport.readable(id, turn_.now)) {
    turn_.transport.consume(id, bytes.size(), turn_.now);
  }
}

void ClientConnections::close(std::uint32_t c) noexcept {
  turn_.transport.release(clients_[c].id, turn_.now);
  free(c);
}

void ClientConnections::abort(std::uint32_t c) noexcept {
  turn_.transport.set_user(clients_[c].id, kForgotten);
  turn_.transport.abort(clients_[c].id, turn_.now);
  free(c);
}

void ClientConnections::free(std::uint32_t c) noexcept {
  client_tls_.forget(c);
  origins_.drop_of(clients_[c]);
  clients_[c].state = ClientState::free;
  clients_.give_back(c);
}

}  // namespace brink::l7::proxy
