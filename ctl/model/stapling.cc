#include "ctl/model/stapling.h"

#include <algorithm>

namespace brink::ctl::model {
namespace {

constexpr std::int64_t kSoonest = 10;  // seconds, like what follows
constexpr std::int64_t kRetryMax = 3600;
constexpr std::uint32_t kDoublingsMax = 16;

}  // namespace

std::int64_t next_look(std::int64_t now_s, std::int64_t next_update_s, std::uint32_t random) {
  const std::int64_t half = std::max<std::int64_t>(next_update_s - now_s, 0) / 2;
  const std::int64_t width = half / 5;
  const std::int64_t wait = half - half / 10 + (width > 0 ? random % width : 0);
  return now_s + std::max(wait, kSoonest);
}

std::int64_t retry_look(std::int64_t now_s, std::uint32_t failures, std::uint32_t random) {
  const std::uint32_t doublings = std::min(std::max(failures, 1U) - 1, kDoublingsMax);
  const std::int64_t wait = std::min(kSoonest << doublings, kRetryMax);
  return now_s + wait + random % (wait / 4 + 1);
}

}  // namespace brink::ctl::model
