// Published: something that the main thread replaces as a whole while workers read it. What was
// replaced goes when every worker has reported that it is past it (RCU).
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace brink::edge {

// Main thread, but for pointer().
template <typename T>
class Published {
 public:
  // Workers are threads of `rcu`, which outlives this; null: nobody reads yet that is not there at
  // the end.
  explicit Published(rte_rcu_qsbr* rcu) : rcu_(rcu) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  void publish(std::unique_ptr<const T> fresh) {
    published_.store(fresh.get(), std::memory_order_release);
    std::swap(current_, fresh);
    if (!fresh || rcu_ == nullptr) return;
    std::erase_if(retired_, [this](const Retired& old) {
      return rte_rcu_qsbr_check(rcu_, old.token, false) == 1;
    });
    retired_.push_back({std::move(fresh), rte_rcu_qsbr_start(rcu_)});
  }

  // What was published last; null: nothing yet.
  [[nodiscard]] const T* current() const { return current_.get(); }

  // Any worker: what is pointed at stays as it is until that worker's next quiescent report. The
  // load is an acquire, for the release in publish().
  [[nodiscard]] const std::atomic<const T*>& pointer() const { return published_; }

 private:
  struct Retired {
    std::unique_ptr<const T> value;
    std::uint64_t token = 0;
  };

  rte_rcu_qsbr* const rcu_;
  std::unique_ptr<const T> current_;
  std::atomic<const T*> published_{nullptr};  // main: wo, workers: ro
  std::vector<Retired> retired_;              // a worker may still read them
};

}  // namespace brink::edge
