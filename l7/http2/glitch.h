// Glitches: what a peer does that is allowed, or nearly so, but costs us more than it costs the
// peer. Each has a weight; the sum leaks away with time, and over the limit the connection ends
// with ENHANCE_YOUR_CALM. RFC 9113 10.5; CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset),
// CVE-2024-27316 (CONTINUATION), CVE-2025-8671 (provoked resets).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/clock.h"

namespace brink::l7::http2 {

enum class Glitch : std::uint8_t {
  cancelled_request,  // RST_STREAM before our response ended: rapid reset
  provoked_reset,     // a frame that made us reset the stream
  refused_stream,     // a request beyond max_concurrent_streams
  malformed_message,  // a head or body that the rules refuse
  oversized_head,     // a head over the limits, a part of an HPACK bomb
  continuation,       // a CONTINUATION frame
  empty_data,         // a DATA frame without data and without END_STREAM
  empty_headers,      // a HEADERS or CONTINUATION frame without a byte of a field
  settings,           // a SETTINGS frame after the first
  ping,               // a PING
  priority,           // PRIORITY or PRIORITY_UPDATE
  small_window,       // WINDOW_UPDATE of a few bytes
  unknown_frame,      // a frame of a type that we do not know
  frame_on_closed,    // a frame on a stream that ended
};
inline constexpr std::size_t kGlitchCount = static_cast<std::size_t>(Glitch::frame_on_closed) + 1;

// The enumerator's name, for counters.
std::string_view name_of(Glitch glitch) noexcept;

struct GlitchLimits {
  std::uint32_t limit = 2000;               // the score a connection may reach
  std::uint32_t recovery_per_second = 100;  // what leaks away
  std::array<std::uint16_t, kGlitchCount> weights = {
      10,   // cancelled_request: a page that is left cancels up to all of its streams at once
      20,   // provoked_reset
      10,   // refused_stream
      20,   // malformed_message
      100,  // oversized_head
      20,   // continuation: heads under 16 KiB need none
      20,   // empty_data
      20,   // empty_headers
      20,   // settings
      10,   // ping: clients that measure bandwidth send one a round trip
      5,    // priority
      2,    // small_window: naive clients give back each small message
      2,    // unknown_frame: grease
      2,    // frame_on_closed: what was on its way when a stream ended
  };
};

// The score of one connection. Time is an argument.
class GlitchScore {
 public:
  // Adds `glitch`; false when the limit is exceeded.
  bool add(Glitch glitch, const GlitchLimits& limits, base::Time now) noexcept;
  [[nodiscard]] std::uint32_t value() const noexcept { return score_; }
  // The glitch that exceeded the limit, or the last one.
  [[nodiscard]] Glitch last() const noexcept { return last_; }

 private:
  std::uint32_t score_ = 0;
  Glitch last_ = Glitch::cancelled_request;
  base::Time since_{};  // the score has leaked up to here
};

}  // namespace brink::l7::http2
