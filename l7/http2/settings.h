// Settings: what a session allows its peer and announces in SETTINGS. One set for all sessions of
// a Codec and role.
#pragma once

#include <chrono>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "l7/http2/glitch.h"

namespace brink::l7::http2 {

struct Settings {
  std::uint32_t max_concurrent_streams = 128;    // that the peer, or we, may open
  std::uint32_t stream_window = 64 * 1024;       // bytes of a body that the peer may have under way
  std::uint32_t connection_window = 512 * 1024;  // and of all bodies together
  std::uint32_t head_max = 32 * 1024;  // of a head: names, values, 32 a field; RFC 9113 6.5.2
  std::uint32_t target_max = 16 * 1024;
  std::uint32_t field_max = 16 * 1024;
  std::uint32_t header_table_size = 4096;  // HPACK, each direction; RFC 7541 4.2
  std::uint32_t memory_max = 512 * 1024;   // bytes of the arena that one session may hold
  bool connect_protocol = true;            // extended CONNECT, RFC 8441; servers only
  // Until our SETTINGS are acknowledged. A client whose SYN was lost repeats what is lost next after
  // 3 s, and after 6 more (Linux; RFC 6298 5.7).
  base::Duration settings_timeout = std::chrono::seconds{30};
  base::Duration idle_timeout = std::chrono::seconds{400};  // without a stream
  base::Duration head_timeout = std::chrono::seconds{30};   // from a head's first to its last byte
  base::Duration stall_timeout = std::chrono::seconds{60};  // a stream whose window stays closed
  base::Duration drain_delay = std::chrono::seconds{1};     // between the two GOAWAY of drain()
  GlitchLimits glitches;
};

}  // namespace brink::l7::http2
