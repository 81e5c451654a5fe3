#include "dataplane/eal/pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <rte_memzone.h>

namespace brink::eal {
namespace {

constexpr unsigned kCacheSize = 128;

void free_zone(rte_mempool_memhdr*, void* zone) {
  rte_memzone_free(static_cast<const rte_memzone*>(zone));
}

// Memory for all packets of the pool. rte_mempool_populate_default would leave packets that may
// straddle pages without the address that a NIC reads and writes them by.
// Returns a negative errno when it failed.
int populate_one_piece(rte_mempool* pool) {
  std::size_t chunk_size = 0;
  std::size_t alignment = 0;
  const ssize_t size =
      rte_mempool_op_calc_mem_size_default(pool, pool->size, 0, &chunk_size, &alignment);
  if (size < 0) return static_cast<int>(size);
  const rte_memzone* zone = rte_memzone_reserve_aligned(
      (std::string("packets_") + pool->name).c_str(), static_cast<std::size_t>(size),
      pool->socket_id, 0, static_cast<unsigned>(alignment));
  if (zone == nullptr) return -rte_errno;
  const int count = rte_mempool_populate_iova(pool, static_cast<char*>(zone->addr), zone->iova,
                                              zone->len, free_zone, const_cast<rte_memzone*>(zone));
  if (count <= 0) {
    rte_memzone_free(zone);
    return count < 0 ? count : -ENOMEM;
  }
  // DPDK takes packets that may straddle pages for out of every device's reach.
  pool->flags &= ~unsigned{RTE_MEMPOOL_F_NON_IO};
  return static_cast<std::uint32_t>(count) == pool->size ? 0 : -ENOMEM;
}

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
    status = one_piece ? populate_one_piece(pool.get()) : rte_mempool_populate_default(pool.get());
  }
  if (status < 0) return failed(rte_strerror(-status));
  rte_mempool_obj_iter(pool.get(), rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace brink::eal
