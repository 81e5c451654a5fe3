// ImageStore: what workers read, and how it changes while they read it. One copy of the image per
// NUMA node, all of them changed alike. The main thread writes; a worker takes a view when it
// answers; what was replaced is freed when every worker has passed a quiescent point (RCU), without
// waiting for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/result.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/transaction.h"
#include "dataplane/snapshot/writer.h"

struct rte_rcu_qsbr;

namespace brink::edge {

inline constexpr std::size_t kNumaNodesMax = 16;

struct RcuDeleter {
  void operator()(rte_rcu_qsbr* rcu) const noexcept;
};
using Rcu = std::unique_ptr<rte_rcu_qsbr, RcuDeleter>;

// Quiescent state of `workers` threads, and of one more that pins an image while it is compacted;
// all registered, none online.
base::Result<Rcu> make_rcu(std::uint32_t workers);

struct ImageStoreOptions {
  std::vector<int> numa_nodes = {-1};  // one copy each; -1: anywhere
  bool huge_pages = false;
  std::size_t memory_limit_bytes = ~std::size_t{0};  // of a copy
};

// Memory that waits for workers to pass.
struct Waiting {
  std::size_t batches = 0;
  base::Duration oldest{};
  std::vector<std::uint32_t> workers;  // that have not passed since the oldest batch
};

// How long transactions took from begin() until every worker had passed their publication. Not
// known while a generation is pinned: the batches wait for that, too.
struct Visible {
  base::Duration last{};
  base::Duration longest{};
};

class ImageStore {
 public:
  // `rcu` was made for `workers` and outlives the store.
  ImageStore(rte_rcu_qsbr* rcu, std::uint32_t workers, ImageStoreOptions options);

  // Workers, while online: valid until their next quiescent report. `copy` is the position of the
  // worker's node among the options'.
  [[nodiscard]] snapshot::View view(std::size_t copy) const noexcept {
    const Published* published = published_.load(std::memory_order_acquire);
    return {published->roots[copy], published->generation};
  }

  // Everything below: main thread.

  // How images for publish() are to be made, one per copy.
  [[nodiscard]] std::vector<snapshot::ImageOptions> image_options() const;

  // Makes `copies`, alike and one per node, what workers see from their next turn on.
  void publish(std::vector<snapshot::Image> copies, base::Time now);

  // A transaction, applied to every copy step by step: begin, step until it says that there is no
  // more, then commit or abort. A step that fails leaves abort as the only way on.
  base::Result<void> begin(std::span<const std::uint8_t> transaction, base::Time now);
  // True: there is more.
  base::Result<bool> step(std::uint32_t operations_max);
  // The step that failed did for want of memory.
  [[nodiscard]] bool is_out_of_memory() const;
  void commit(base::Time now);
  void abort(base::Time now);
  [[nodiscard]] bool in_transaction() const { return !decoders_.empty(); }
  // The open transaction leads to this version.
  [[nodiscard]] bool leads_to(std::uint64_t version, std::uint64_t token) const {
    return in_transaction() && header_.version == version && header_.token == token;
  }
  // The open transaction was held back since begin(), which is now said to have been `now`.
  void resume(base::Time now) { begun_ = now; }

  // Frees what no worker can see any more; goes on with growing and shrinking name tables. Between
  // transactions. True: there is more to do at once.
  bool maintain(base::Time now);

  // Keeps what is published now from being freed, for one reader on another thread.
  snapshot::Pinned pin();
  void unpin();

  [[nodiscard]] const snapshot::ImageState& state() const { return copies_[0].image->state(); }
  [[nodiscard]] snapshot::ImageUsage usage() const;  // of the first copy
  [[nodiscard]] Waiting waiting(base::Time now) const;
  // Something waits until every worker has gone on.
  [[nodiscard]] bool is_waiting() const { return !retired_.empty(); }
  [[nodiscard]] const Visible& visible() const { return visible_; }
  // Generations are getting old: a compaction is due.
  [[nodiscard]] bool is_aged() const;

 private:
  struct Copy {
    std::unique_ptr<snapshot::Image> image;
    std::unique_ptr<snapshot::Writer> writer;
    std::uint64_t epoch = 0;  // of the name table that the published root leads to
  };
  // What one release store makes visible, on every node. Never changed.
  struct Published {
    std::uint32_t generation = 1;
    std::vector<snapshot::Root> roots;  // by copy
  };
  struct Retired {
    std::uint64_t token = 0;
    base::Time since{};
    std::optional<base::Time> begun;  // of a transaction that was committed; while pinned: none
    std::vector<snapshot::Garbage> garbage;  // by copy
    std::vector<Copy> copies;
    std::unique_ptr<const Published> published;
  };

  [[nodiscard]] bool has_new_epoch() const;
  void publish(std::uint32_t generation, Retired& retired);
  void retire(Retired retired, base::Time now);
  bool reclaim(base::Time now);
  void end_transaction(base::Time now, bool committed);

  rte_rcu_qsbr* rcu_;
  const std::uint32_t workers_;
  const ImageStoreOptions options_;
  std::vector<Copy> copies_;
  std::unique_ptr<const Published> newest_ = std::make_unique<Published>();
  std::atomic<const Published*> published_{newest_.get()};  // main: wo, workers: ro
  bool pinned_ = false;
  std::deque<Retired> retired_;
  std::vector<snapshot::TransactionDecoder> decoders_;  // of the open transaction, by copy
  snapshot::TransactionHeader header_{};                // of the open transaction
  base::Time begun_{};                                  // likewise
  Visible visible_;
};

}  // namespace brink::edge
