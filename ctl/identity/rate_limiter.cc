#include "ctl/identity/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace brink::ctl::identity {

double RateLimiter::per_second() const {
  return limit_.burst / std::chrono::duration<double>(limit_.period).count();
}

double RateLimiter::level_of(const Bucket& bucket, Time now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  return std::min<double>(limit_.burst, bucket.level + std::max(0.0, seconds) * per_second());
}

RateLimiter::Verdict RateLimiter::verdict(double level, bool allowed) const {
  const auto seconds_to = [&](double wanted) {
    return static_cast<std::uint32_t>(std::ceil(std::max(0.0, wanted - level) / per_second()));
  };
  Verdict verdict;
  verdict.allowed = allowed;
  verdict.limit = limit_.burst;
  verdict.remaining = static_cast<std::uint32_t>(level);
  verdict.reset_s = seconds_to(limit_.burst);
  if (!allowed) verdict.retry_s = std::max(1U, seconds_to(1));
  return verdict;
}

RateLimiter::Verdict RateLimiter::look(const std::string& key, Time now) const {
  const auto known = by_key_.find(key);
  const double level = known == by_key_.end() ? limit_.burst : level_of(*known->second, now);
  return verdict(level, level >= 1);
}

RateLimiter::Verdict RateLimiter::take(const std::string& key, Time now) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    if (buckets_.size() >= keys_max_) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({key, static_cast<double>(limit_.burst), now});
    by_key_[key] = buckets_.begin();
  } else {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
  }
  Bucket& bucket = buckets_.front();
  bucket.level = level_of(bucket, now);
  bucket.filled = now;
  const bool allowed = bucket.level >= 1;
  if (allowed) bucket.level -= 1;
  return verdict(bucket.level, allowed);
}

}  // namespace brink::ctl::identity
