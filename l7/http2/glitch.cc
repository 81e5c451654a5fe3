#include "l7/http2/glitch.h"

#include <algorithm>

namespace brink::l7::http2 {

std::string_view name_of(Glitch glitch) noexcept {
  static constexpr std::array<std::string_view, kGlitchCount> kNames = {
      "cancelled_request", "provoked_reset", "refused_stream", "malformed_message",
      "oversized_head",    "continuation",   "empty_data",     "empty_headers",
      "settings",          "ping",           "priority",       "small_window",
      "unknown_frame",     "frame_on_closed"};
  return kNames[static_cast<std::size_t>(glitch)];
}

bool GlitchScore::add(Glitch glitch, const GlitchLimits& limits, base::Time now) noexcept {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  constexpr auto kSecond = static_cast<std::uint64_t>(nanoseconds{seconds{1}}.count());
  if (limits.recovery_per_second != 0 && now > since_) {
    const auto elapsed = static_cast<std::uint64_t>((now - since_).count());
    const std::uint64_t point = kSecond / limits.recovery_per_second;  // the time one point takes
    const std::uint64_t points = std::min<std::uint64_t>(elapsed / point, score_);
    score_ -= static_cast<std::uint32_t>(points);
    since_ = score_ == 0 ? now : since_ + nanoseconds{points * point};
  }
  last_ = glitch;
  score_ += limits.weights[static_cast<std::size_t>(glitch)];
  return score_ <= limits.limit;
}

}  // namespace brink::l7::http2
