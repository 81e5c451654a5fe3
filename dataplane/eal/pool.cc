#include "dataplane/eal/pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
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
  const auto failed = [&](const std::string& why) {
    return base::Error{"no memory for " + std::to_string(count) + " packets: " + why, name,
                       "raise eal.memory-mb or lower the descriptor counts"};
  };
  const auto room = static_cast<std::uint16_t>(data_size + RTE_PKTMBUF_HEADROOM);
  // Where virtual addresses are what devices use, packets may straddle pages, so they lie side by
  // side in one piece. AF_XDP counts on that: its driver takes the pool's size for packets times
  // their size, and the kernel refuses every packet behind that.
  const bool one_piece = rte_eal_iova_mode() == RTE_IOVA_VA;
  Pool pool(rte_mempool_create_empty(
      name.c_str(), count, static_cast<unsigned>(sizeof(rte_mbuf)) + room, kCacheSize,
      sizeof(rte_pktmbuf_pool_private), numa_node, one_piece ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0));
  if (!pool) return failed(rte_strerror(rte_errno));
  rte_pktmbuf_pool_private data{};
  data.mbuf_data_room_size = room;
  int status = rte_mempool_set_ops_byname(pool.get(), rte_mbuf_best_mempool_ops(), nullptr);
  if (status == 0) {
    rte_pktmbuf_pool_init(pool.get(), &data);
    status = rte_mempool_populate_default(pool.get());
  }
  if (status < 0) return failed(rte_strerror(-status));
  if (one_piece && pool->nb_mem_chunks != 1) return failed("not in one piece");
  rte_mempool_obj_iter(pool.get(), rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace brink::eal
