// ImageStore: the image that workers read, and its replacement while they read it. The main thread
// publishes with one release store; a worker takes the pointer once a turn; an image that was
// replaced is freed when every worker has passed a quiescent point (RCU), without waiting for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/image.h"

struct rte_rcu_qsbr;

namespace brink::edge {

struct RcuDeleter {
  void operator()(rte_rcu_qsbr* rcu) const noexcept;
};
using Rcu = std::unique_ptr<rte_rcu_qsbr, RcuDeleter>;

// Quiescent state of `workers` threads, all registered, none online.
base::Result<Rcu> make_rcu(std::uint32_t workers);

class ImageStore {
 public:
  // `rcu` outlives the store. `first` is valid.
  ImageStore(rte_rcu_qsbr* rcu, snapshot::Image first);

  // Workers, while online: the bytes stay valid until their next quiescent report.
  [[nodiscard]] const std::uint8_t* current() const noexcept {
    return current_.load(std::memory_order_acquire);  // pairs with publish()
  }

  // Main thread. publish() makes `next` what workers see from their next turn on.
  void publish(snapshot::Image next);
  // Main thread. Frees what no worker can see any more; returns how many images still wait.
  std::size_t reclaim();

  // Main thread: the published image.
  [[nodiscard]] const snapshot::Image& image() const { return image_; }

 private:
  struct Retired {
    snapshot::Image image;
    std::uint64_t token;
  };
  rte_rcu_qsbr* rcu_;
  snapshot::Image image_;
  std::atomic<const std::uint8_t*> current_;  // main thread: wo, workers: ro
  std::vector<Retired> retired_;
};

}  // namespace brink::edge
