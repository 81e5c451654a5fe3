// What an HTTP/2 session has to say, on its way to the session's connection.
#pragma once

#include <span>

#include "dataplane/transport/transport.h"
#include "l7/http2/session.h"

namespace brink::l7::proxy {

struct SessionOutput {
  bool wrote = false;    // something
  bool blocked = false;  // there is more than the connection has room for; kWritable follows
  bool failed = false;   // the connection took less than it said: it is of no use any more
};

// Writes through `scratch`, 1 KiB or more, until nothing is left or there is no room.
SessionOutput write_session(http2::Session& session, transport::Transport& transport,
                            tcp::ConnectionId id, std::span<char> scratch, base::Time now) noexcept;

}  // namespace brink::l7::proxy
