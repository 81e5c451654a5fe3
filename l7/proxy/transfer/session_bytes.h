// Bytes between an HTTP/2 session and its connection.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "dataplane/transport/transport.h"
#include "l7/http2/session.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {

struct SessionOutput {
  bool wrote = false;    // something
  bool blocked = false;  // there is more than the connection has room for; kWritable follows
  bool failed = false;   // the connection took less than it said: it is of no use any more
};

// Writes through `scratch`, 1 KiB or more, until nothing is left or there is no room.
SessionOutput write_session(http2::Session& session, transport::Transport& transport,
                            tcp::ConnectionId id, std::span<char> scratch, base::Time now) noexcept;

// Feeds what the connection has received. `take_events()` is called after each piece, while the bytes
// that the events name still lie where they are.
template <typename TakeEvents>
void read_session(http2::Session& session, transport::Transport& transport, tcp::ConnectionId id,
                  base::Time now, const TakeEvents& take_events) noexcept {
  for (;;) {
    const std::string_view bytes = as_text(transport.readable(id, now));
    if (bytes.empty()) return;
    const std::size_t used = session.feed(bytes, now);
    take_events();
    if (used == 0) return;
    transport.consume(id, used, now);
  }
}

}  // namespace brink::l7::proxy
