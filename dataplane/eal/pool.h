// Packet pools. Cold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/base/result.h"

struct rte_mempool;

namespace brink::eal {

// Frees the pool; every packet must have come back.
struct PoolDeleter {
  void operator()(rte_mempool* pool) const noexcept;
};
using Pool = std::unique_ptr<rte_mempool, PoolDeleter>;

// make_pool makes a pool of at least `packets` single-segment packets on `numa_node` (-1: any),
// with room for `data_size` bytes behind the usual headroom. The per-lcore cache is small on
// purpose: a packet that was just freed is the warmest one to take. Where bus addresses are virtual
// (always, without a PCI device) the packets lie side by side in one piece of memory.
base::Result<Pool> make_pool(const std::string& name, std::uint32_t packets,
                             std::uint16_t data_size, int numa_node);

}  // namespace brink::eal
