#include "l7/proxy/transfer/session_bytes.h"

#include <algorithm>

#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

// With less room nothing is written, so that frames do not come in crumbs.
constexpr std::size_t kRoomMin = 1024;

}  // namespace

SessionOutput write_session(http2::Session& session, transport::Transport& transport,
                            tcp::ConnectionId id, std::span<char> scratch,
                            base::Time now) noexcept {
  SessionOutput output;
  for (;;) {
    const std::size_t room = std::min(transport.writable_bytes(id), scratch.size());
    if (room < kRoomMin) {
      output.blocked = session.wants_write();
      if (output.blocked) transport.await_room(id);
      return output;
    }
    const std::span<char> text = scratch.first(session.write(scratch.first(room), now));
    if (text.empty()) return output;
    output.wrote = true;
    output.failed = transport.write(id, as_octets(text), now) < text.size();
    if (output.failed) return output;
  }
}

}  // namespace brink::l7::proxy
