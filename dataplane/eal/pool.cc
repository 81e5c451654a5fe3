#include "dataplane/eal/pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace brink::eal {
namespace {

constexpr unsigned kCacheSize = 128;

}  // namespace

void PoolDeleter::operator()(rte_mempool* pool) const noexcept {
  rte_mempool_free(pool);
}

base::Result<Pool> make_pool(const std::string& name, std::uint32_t packets,
                             std::uint16_t data_size, int numa_node) {
  // What caches of other lcores may hold back is added, so that `packets` is what a user gets.
  const std::uint32_t count = packets + 2 * kCacheSize;
  rte_mempool* pool = rte_pktmbuf_pool_create(
      name.c_str(), count, kCacheSize, 0,
      static_cast<std::uint16_t>(data_size + RTE_PKTMBUF_HEADROOM), numa_node);
  if (pool == nullptr) {
    return base::Error{
        "no memory for " + std::to_string(count) + " packets: " + rte_strerror(rte_errno), name,
        "raise eal.memory-mb or lower the descriptor counts"};
  }
  return Pool(pool);
}

}  // namespace brink::eal
