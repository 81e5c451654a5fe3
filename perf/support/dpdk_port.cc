#include "perf/support/dpdk_port.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <stdexcept>
#include <vector>

namespace brink::perf {
namespace {

bool start(rte_mempool* pool) {
  rte_eth_conf config{};
  return rte_eth_dev_configure(0, 1, 1, &config) == 0 &&
         rte_eth_rx_queue_setup(0, 0, 1024, rte_socket_id(), nullptr, pool) == 0 &&
         rte_eth_tx_queue_setup(0, 0, 1024, rte_socket_id(), nullptr) == 0 &&
         rte_eth_dev_start(0) == 0;
}

bool wait_for_link() {
  for (int i = 0; i < 1000; ++i) {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(0, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) return true;
    rte_delay_us_sleep(10'000);
  }
  return false;
}

}  // namespace

rte_mempool* start_port(char* program, int count, char** arguments) {
  std::vector<char*> eal(arguments, arguments + count);
  if (eal.empty()) eal.push_back(program);
  eal[0] = program;  // in the place of "--"
  if (rte_eal_init(static_cast<int>(eal.size()), eal.data()) < 0) {
    throw std::runtime_error("DPDK does not start");
  }
  rte_mempool* const pool = rte_pktmbuf_pool_create(
      "load", 16383, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, static_cast<int>(rte_socket_id()));
  if (pool == nullptr || !start(pool)) throw std::runtime_error("cannot start DPDK port 0");
  if (!wait_for_link()) {
    throw std::runtime_error("the link of port 0 stays down; is the other side running?");
  }
  return pool;
}

void stop_port() {
  rte_eth_dev_stop(0);
  rte_eth_dev_close(0);
  rte_eal_cleanup();
}

}  // namespace brink::perf
