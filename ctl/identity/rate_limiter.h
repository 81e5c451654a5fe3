// RateLimiter: token buckets by key, in bounded memory.
//
// A bucket holds `burst` requests and is refilled evenly over `period`. A key that is not known has
// a full bucket. When there is no room for another key, the one that was used least recently is
// forgotten, which can only be to its advantage. One thread; the clock is an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace brink::ctl::identity {

class RateLimiter {
 public:
  struct Limit {
    std::uint32_t burst = 1;
    std::chrono::milliseconds period{1000};
  };
  struct Verdict {
    bool allowed = true;
    std::uint32_t limit = 0;
    std::uint32_t remaining = 0;  // whole requests left
    std::uint32_t reset_s = 0;    // until the bucket is full
    std::uint32_t retry_s = 0;    // until the next request; at least 1 when not allowed
  };
  using Time = std::chrono::steady_clock::time_point;

  RateLimiter(Limit limit, std::size_t keys_max) : limit_(limit), keys_max_(keys_max) {}
  RateLimiter(RateLimiter&&) = default;
  RateLimiter& operator=(RateLimiter&&) = default;

  // Takes a request out of the bucket, if there is one.
  Verdict take(const std::string& key, Time now);
  // What take() would say, without taking.
  [[nodiscard]] Verdict look(const std::string& key, Time now) const;
  [[nodiscard]] std::size_t keys() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::string key;
    double level = 0;  // requests
    Time filled;
  };
  using Buckets = std::list<Bucket>;  // used most recently first

  [[nodiscard]] double level_of(const Bucket& bucket, Time now) const;
  [[nodiscard]] double per_second() const;
  [[nodiscard]] Verdict verdict(double level, bool allowed) const;

  Limit limit_;
  std::size_t keys_max_;
  Buckets buckets_;
  std::unordered_map<std::string, Buckets::iterator> by_key_;
};

}  // namespace brink::ctl::identity
