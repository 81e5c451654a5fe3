#include "dataplane/eal/pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace brink::eal {
namespace {

constexpr unsigned kCacheSize = 128;

// rte_pktmbuf_pool_create leaves a gap before every page border that a packet would cross. Where
// bus addresses are virtual ones nothing needs the gaps, and the AF_XDP driver must not meet them:
// it shows the kernel the first `populated_size` packets' worth of bytes, and the kernel drops what
// lies behind.
unsigned layout_flags() noexcept {
  return rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0U;
}

rte_mempool* create(const std::string& name, std::uint32_t count, std::uint16_t room,
                    int numa_node) noexcept {
  rte_mempool* const pool =
      rte_mempool_create_empty(name.c_str(), count, sizeof(rte_mbuf) + room, kCacheSize,
                               sizeof(rte_pktmbuf_pool_private), numa_node, layout_flags());
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private sizes{};
  sizes.mbuf_data_room_size = room;
  rte_pktmbuf_pool_init(pool, &sizes);
  const int populated = rte_mempool_populate_default(pool);
  if (populated < 0) {
    rte_mempool_free(pool);
    rte_errno = -populated;
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace

void PoolDeleter::operator()(rte_mempool* pool) const noexcept {
  rte_mempool_free(pool);
}

base::Result<Pool> make_pool(const std::string& name, std::uint32_t packets,
                             std::uint16_t data_size, int numa_node) {
  // What caches of other lcores may hold back is added, so that `packets` is what a user gets.
  const std::uint32_t count = packets + 2 * kCacheSize;
  Pool pool(
      create(name, count, static_cast<std::uint16_t>(data_size + RTE_PKTMBUF_HEADROOM), numa_node));
  if (!pool) {
    return base::Error{
        "no memory for " + std::to_string(count) + " packets: " + rte_strerror(rte_errno), name,
        "raise eal.memory-mb or lower the descriptor counts"};
  }
  if (rte_eal_iova_mode() == RTE_IOVA_VA && pool->nb_mem_chunks != 1) {
    return base::Error{"no memory in one piece for " + std::to_string(count) + " packets", name,
                       "raise eal.memory-mb or lower the descriptor counts"};
  }
  return pool;
}

}  // namespace brink::eal
