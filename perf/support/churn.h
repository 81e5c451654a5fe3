// Churn: a thread that goes on changing an image of synthetic zones (shape kHosts) while one other
// thread reads it, the way brink-edge does: each change is a transaction of its own, published with
// one release store, and what it replaced is freed when the reader has passed a quiescent point.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/writer.h"
#include "perf/support/synthetic_zones.h"

namespace brink::perf {

class Churn {
 public:
  // `image` outlives it. The thread runs on `cpu` and makes `changes_per_s` while it is not paused,
  // which it is at first.
  Churn(snapshot::Image& image, const SyntheticOptions& options, std::uint32_t changes_per_s,
        int cpu);
  ~Churn();
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  void run() { paused_.store(false, std::memory_order_relaxed); }
  void pause() { paused_.store(true, std::memory_order_relaxed); }

  // Reader: valid until its next quiescent().
  [[nodiscard]] snapshot::View view() const noexcept {
    const Published* published = published_.load(std::memory_order_acquire);
    return {published->root, published->generation};
  }
  void quiescent() noexcept {
    passed_.store(issued_.load(std::memory_order_acquire), std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_relaxed); }

 private:
  struct Published {
    snapshot::Root root;
    std::uint32_t generation = 0;
  };
  struct Retired {
    std::uint64_t token = 0;
    snapshot::Garbage garbage;
    std::unique_ptr<const Published> published;
  };

  void loop();
  void publish(snapshot::Garbage garbage);
  void reclaim();

  snapshot::Image& image_;
  snapshot::Writer writer_;
  std::vector<std::vector<std::uint8_t>> transactions_;  // gone through over and over
  const std::uint32_t changes_per_s_;
  std::unique_ptr<const Published> newest_;
  std::deque<Retired> retired_;
  std::atomic<const Published*> published_{nullptr};  // churn: wo, reader: ro
  std::atomic<std::uint64_t> issued_{0};              // churn: wo, reader: ro
  std::atomic<std::uint64_t> passed_{0};              // reader: wo, churn: ro
  std::atomic<std::uint64_t> changes_{0};             // churn: wo, anyone: ro
  std::atomic<bool> paused_{true};
  std::atomic<bool> stop_{false};
  std::atomic<bool> started_{false};
  std::thread thread_;
};

}  // namespace brink::perf
