#include "dataplane/port/queue.h"

#include <rte_ethdev.h>

namespace brink::port {

std::uint16_t eth_receive(void* device, std::uint16_t queue, rte_mbuf** out,
                          std::uint16_t count) noexcept {
  return rte_eth_rx_burst(static_cast<const EthDevice*>(device)->port_id, queue, out, count);
}

std::uint16_t eth_transmit(void* device, std::uint16_t queue, rte_mbuf** packets,
                           std::uint16_t count) noexcept {
  return rte_eth_tx_burst(static_cast<const EthDevice*>(device)->port_id, queue, packets, count);
}

}  // namespace brink::port
