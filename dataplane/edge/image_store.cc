#include "dataplane/edge/image_store.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <cstdlib>

namespace brink::edge {

void RcuDeleter::operator()(rte_rcu_qsbr* rcu) const noexcept {
  std::free(rcu);
}

base::Result<Rcu> make_rcu(std::uint32_t workers) {
  const std::size_t size = rte_rcu_qsbr_get_memsize(workers);
  Rcu rcu(static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE))));
  bool ready = rcu != nullptr && rte_rcu_qsbr_init(rcu.get(), workers) == 0;
  for (std::uint32_t i = 0; i < workers && ready; ++i) {
    ready = rte_rcu_qsbr_thread_register(rcu.get(), i) == 0;
  }
  if (!ready) return base::Error{"no memory for RCU", "", "use fewer workers"};
  return rcu;
}

ImageStore::ImageStore(rte_rcu_qsbr* rcu, snapshot::Image first)
    : rcu_(rcu), image_(std::move(first)), current_(image_.data()) {}

void ImageStore::publish(snapshot::Image next) {
  CHECK(next.valid());
  snapshot::Image old = std::exchange(image_, std::move(next));
  current_.store(image_.data(), std::memory_order_release);
  // A worker that reports after this token was drawn has read the new pointer.
  retired_.push_back({std::move(old), rte_rcu_qsbr_start(rcu_)});
}

std::size_t ImageStore::reclaim() {
  std::erase_if(retired_, [this](const Retired& retired) {
    return rte_rcu_qsbr_check(rcu_, retired.token, false) == 1;
  });
  return retired_.size();
}

}  // namespace brink::edge
