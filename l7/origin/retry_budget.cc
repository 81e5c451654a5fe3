#include "l7/origin/retry_budget.h"

namespace brink::l7::origin {

void RetryBudget::turn(const RetrySettings& settings, base::Time now) noexcept {
  if (now - since_ < settings.window) return;
  const bool adjacent = now - since_ < 2 * settings.window;
  before_ = adjacent ? now_ : Counts{};
  now_ = {};
  since_ = adjacent ? since_ + settings.window : now;
}

void RetryBudget::note_request(const RetrySettings& settings, base::Time now) noexcept {
  turn(settings, now);
  ++now_.requests;
}

bool RetryBudget::take(const RetrySettings& settings, base::Time now) noexcept {
  turn(settings, now);
  constexpr std::uint64_t kWhole = 1024;
  const auto passed =
      static_cast<std::uint64_t>((now - since_) * static_cast<int>(kWhole) / settings.window);
  const auto recent = [&](std::uint32_t before, std::uint32_t current) {
    return current + before * (kWhole - passed) / kWhole;
  };
  const std::uint64_t granted =
      settings.floor + recent(before_.requests, now_.requests) * settings.percent / 100;
  if (recent(before_.retries, now_.retries) >= granted) return false;
  ++now_.retries;
  return true;
}

}  // namespace brink::l7::origin
