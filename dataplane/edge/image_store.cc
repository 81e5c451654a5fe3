#include "dataplane/edge/image_store.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <cstdlib>

namespace brink::edge {
namespace {

// About a quarter of a millisecond.
constexpr std::uint32_t kBucketsPerTurn = 1024;
constexpr std::size_t kBatchesPerTurn = 256;

}  // namespace

void RcuDeleter::operator()(rte_rcu_qsbr* rcu) const noexcept {
  std::free(rcu);
}

base::Result<Rcu> make_rcu(std::uint32_t workers) {
  const std::uint32_t threads = workers + 1;
  const std::size_t size = rte_rcu_qsbr_get_memsize(threads);
  Rcu rcu(static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE))));
  bool ready = rcu != nullptr && rte_rcu_qsbr_init(rcu.get(), threads) == 0;
  for (std::uint32_t i = 0; i < threads && ready; ++i) {
    ready = rte_rcu_qsbr_thread_register(rcu.get(), i) == 0;
  }
  if (!ready) return base::Error{"no memory for RCU", "", "use fewer workers"};
  return rcu;
}

ImageStore::ImageStore(rte_rcu_qsbr* rcu, std::uint32_t workers, ImageStoreOptions options)
    : rcu_(rcu), workers_(workers), options_(std::move(options)) {
  CHECK(!options_.numa_nodes.empty() && options_.numa_nodes.size() <= kNumaNodesMax);
}

std::vector<snapshot::ImageOptions> ImageStore::image_options() const {
  std::vector<snapshot::ImageOptions> all;
  for (const int node : options_.numa_nodes) {
    snapshot::ImageOptions options;
    options.placement = {options_.huge_pages, node};
    options.memory_limit_bytes = options_.memory_limit_bytes;
    options.generation = newest_->generation;
    all.push_back(options);
  }
  return all;
}

void ImageStore::publish(std::vector<snapshot::Image> copies, base::Time now) {
  CHECK(copies.size() == options_.numa_nodes.size() && !in_transaction());
  Retired retired;
  retired.copies = std::exchange(copies_, {});
  // What waits for the old copies goes with them.
  for (Retired& waiting : retired_) waiting.garbage.clear();
  for (snapshot::Image& image : copies) {
    Copy copy;
    copy.image = std::make_unique<snapshot::Image>(std::move(image));
    copy.writer = std::make_unique<snapshot::Writer>(*copy.image);
    copies_.push_back(std::move(copy));
  }
  publish(newest_->generation, retired);
  retire(std::move(retired), now);
}

bool ImageStore::has_new_epoch() const {
  return std::any_of(copies_.begin(), copies_.end(),
                     [](const Copy& copy) { return copy.epoch != copy.image->epoch(); });
}

void ImageStore::publish(std::uint32_t generation, Retired& retired) {
  auto fresh = std::make_unique<Published>();
  fresh->generation = generation;
  for (Copy& copy : copies_) {
    fresh->roots.push_back(copy.image->root());
    copy.epoch = copy.image->epoch();
  }
  published_.store(fresh.get(), std::memory_order_release);
  retired.published = std::exchange(newest_, std::move(fresh));
}

// A worker that reports after this token was drawn has read what was published before.
void ImageStore::retire(Retired retired, base::Time now) {
  retired.token = rte_rcu_qsbr_start(rcu_);
  retired.since = now;
  retired_.push_back(std::move(retired));
}

base::Result<void> ImageStore::begin(std::span<const std::uint8_t> transaction, base::Time now) {
  CHECK(!in_transaction());
  const auto header = snapshot::read_transaction(transaction);
  if (!header) return header.error();
  if (header.value().total_size_bytes != transaction.size()) {
    return base::Error{"there are bytes behind its end", "transaction", ""};
  }
  header_ = header.value();
  begun_ = now;
  for (Copy& copy : copies_) {
    copy.writer->begin(newest_->generation + 1);
    decoders_.emplace_back(transaction);
  }
  return {};
}

base::Result<bool> ImageStore::step(std::uint32_t operations_max) {
  bool more = false;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    const auto applied = decoders_[i].apply(*copies_[i].writer, operations_max);
    if (!applied) return applied;
    more = applied.value();
    if (more) continue;
    if (auto checked = copies_[i].writer->check(); !checked) return checked.error();
  }
  return more;
}

bool ImageStore::is_out_of_memory() const {
  return std::any_of(copies_.begin(), copies_.end(),
                     [](const Copy& copy) { return copy.writer->is_out_of_memory(); });
}

void ImageStore::commit(base::Time now) {
  end_transaction(now, true);
}

void ImageStore::abort(base::Time now) {
  end_transaction(now, false);
}

void ImageStore::end_transaction(base::Time now, bool committed) {
  Retired retired;
  for (Copy& copy : copies_) {
    retired.garbage.push_back(
        committed ? copy.writer->commit(header_.version, header_.created_unix_ns, header_.token)
                  : copy.writer->abort());
  }
  if (committed && !pinned_) retired.begun = begun_;
  if (committed || has_new_epoch()) {
    publish(newest_->generation + (committed ? 1 : 0), retired);
  }
  decoders_.clear();
  retire(std::move(retired), now);
}

bool ImageStore::maintain(base::Time now) {
  const bool more = reclaim(now);
  bool growing = false;
  Retired retired;
  for (Copy& copy : copies_) {
    if (copy.writer->maintain(kBucketsPerTurn)) growing = true;
    retired.garbage.push_back(copy.writer->flush());
  }
  if (has_new_epoch()) {
    publish(newest_->generation, retired);
    retire(std::move(retired), now);
  }
  return more || growing;
}

// In the order of commits: what a transaction left may be the reason for what the next one left.
bool ImageStore::reclaim(base::Time now) {
  for (std::size_t i = 0; i < kBatchesPerTurn; ++i) {
    if (retired_.empty() || rte_rcu_qsbr_check(rcu_, retired_.front().token, false) != 1) {
      return false;
    }
    Retired passed = std::move(retired_.front());
    retired_.pop_front();
    if (passed.begun) {
      visible_.last = now - *passed.begun;
      visible_.longest = std::max(visible_.longest, visible_.last);
    }
    Retired later;
    bool any = false;
    for (std::size_t copy = 0; copy < passed.garbage.size(); ++copy) {
      later.garbage.push_back(copies_[copy].writer->release(std::move(passed.garbage[copy])));
      any = any || !later.garbage.back().empty();
    }
    if (any) retire(std::move(later), now);
  }
  return true;
}

snapshot::Pinned ImageStore::pin() {
  pinned_ = true;
  for (Retired& waiting : retired_) waiting.begun.reset();
  rte_rcu_qsbr_thread_online(rcu_, workers_);
  return copies_[0].image->pin();
}

void ImageStore::unpin() {
  pinned_ = false;
  rte_rcu_qsbr_thread_offline(rcu_, workers_);
}

snapshot::ImageUsage ImageStore::usage() const {
  return copies_[0].image->usage();
}

Waiting ImageStore::waiting(base::Time now) const {
  Waiting waiting;
  waiting.batches = retired_.size();
  if (retired_.empty()) return waiting;
  waiting.oldest = now - retired_.front().since;
  for (std::uint32_t i = 0; i < workers_; ++i) {
    const std::uint64_t passed = __atomic_load_n(&rcu_->qsbr_cnt[i].cnt, __ATOMIC_RELAXED);
    const bool offline = passed == __RTE_QSBR_CNT_THR_OFFLINE;
    if (!offline && passed < retired_.front().token) waiting.workers.push_back(i);
  }
  return waiting;
}

bool ImageStore::is_aged() const {
  return std::any_of(copies_.begin(), copies_.end(), [](const Copy& copy) {
    return copy.writer->age() > snapshot::Writer::kGenerationsMax;
  });
}

}  // namespace brink::edge
