#include "dataplane/port/eth_port.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>

namespace brink::port {
namespace {

constexpr std::uint64_t kRxChecksums =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
constexpr std::uint64_t kTxChecksums =
    RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
constexpr std::uint64_t kFlows = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;

// How many queue pairs can really be used. The driver of e1000 and e1000e says two, but the older
// NICs have no second one, and in the newer ones both transmit rings share one context for
// checksums.
std::uint32_t usable_queues(const rte_eth_dev_info& info) {
  if (std::strcmp(info.driver_name, "net_e1000_em") == 0) return 1;
  return std::min<std::uint32_t>(info.max_rx_queues, info.max_tx_queues);
}

std::uint64_t all_or_none(std::uint64_t offered, std::uint64_t wanted) {
  return (offered & wanted) == wanted ? wanted : 0;
}

}  // namespace

base::Error EthPort::error(const std::string& what, int status) const {
  return {what + ": " + rte_strerror(-status), device_.name,
          "see eal.log-level = 7 for the driver's own words"};
}

base::Result<std::unique_ptr<EthPort>> EthPort::open(const PortConfig& config,
                                                     const std::vector<rte_mempool*>& pools,
                                                     std::vector<std::string>& fallbacks) {
  const std::string interface = auto_interface(config.device);
  auto devices = parse_device(config.device, config.queues,
                              interface.empty() ? 1 : interface_channels(interface));
  if (!devices) return devices.error();
  base::Error last;
  for (const Device& device : devices.value()) {
    auto port = start(device, config, pools);
    if (port) return port;
    last = port.error();
    if (&device != &devices.value().back()) {
      fallbacks.push_back(last.message() + ": trying the next kind of device");
    }
  }
  return last;
}

base::Result<std::unique_ptr<EthPort>> EthPort::start(const Device& device,
                                                      const PortConfig& config,
                                                      const std::vector<rte_mempool*>& pools) {
  std::unique_ptr<EthPort> port(new EthPort);
  port->device_ = device;
  // A PCI device on the allow list was probed when the EAL started.
  if (rte_eth_dev_get_port_by_name(device.name.c_str(), &port->eth_.port_id) != 0) {
    const int status =
        rte_eal_hotplug_add(device.bus.c_str(), device.name.c_str(), device.arguments.c_str());
    if (status != 0) return port->error("cannot attach (" + device.arguments + ")", status);
    if (rte_eth_dev_get_port_by_name(device.name.c_str(), &port->eth_.port_id) != 0) {
      rte_eal_hotplug_remove(device.bus.c_str(), device.name.c_str());
      return base::Error{"the device is no Ethernet port", device.name, "choose another driver"};
    }
  }
  port->attached_ = true;
  const auto configured = port->configure(config, pools);
  if (!configured) return configured.error();
  return port;
}

base::Result<void> EthPort::configure(const PortConfig& config,
                                      const std::vector<rte_mempool*>& pools) {
  const std::uint16_t id = eth_.port_id;
  rte_eth_dev_info info{};
  int status = rte_eth_dev_info_get(id, &info);
  if (status != 0) return error("cannot be asked for its capabilities", status);
  driver_ = info.driver_name;
  queues_ = std::min(config.queues, usable_queues(info));
  if (queues_ == 0) return base::Error{"has no queue pair", device_.name, "check its arguments"};

  rte_eth_conf conf{};
  conf.rxmode.offloads = info.rx_offload_capa & kRxChecksums;
  conf.txmode.offloads = all_or_none(info.tx_offload_capa, kTxChecksums);
  tx_checksums_ = conf.txmode.offloads != 0;
  const std::uint64_t flows = info.flow_type_rss_offloads & kFlows;
  if (queues_ > 1 && flows != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = flows;
    rss_ = true;
  }
  const auto count = static_cast<std::uint16_t>(queues_);
  status = rte_eth_dev_configure(id, count, count, &conf);
  if (status != 0) return error("cannot be configured", status);
  if (config.mtu != 0) {
    status = rte_eth_dev_set_mtu(id, config.mtu);
    if (status != 0) return error("refuses MTU " + std::to_string(config.mtu), status);
  }
  const auto queues_ready = set_up_queues(config, pools);
  if (!queues_ready) return queues_ready.error();
  status = rte_eth_dev_start(id);
  if (status != 0) return error("cannot be started", status);

  if (config.promiscuous) rte_eth_promiscuous_enable(id);
  rte_eth_allmulticast_enable(id);  // for neighbour solicitations; devices without filters refuse
  rte_ether_addr address{};
  status = rte_eth_macaddr_get(id, &address);
  if (status != 0) return error("does not tell its station address", status);
  mac_ = net::MacAddress::from_wire(address.addr_bytes);
  if (rte_eth_dev_get_mtu(id, &mtu_) != 0) mtu_ = 1500;
  return {};
}

base::Result<void> EthPort::set_up_queues(const PortConfig& config,
                                          const std::vector<rte_mempool*>& pools) {
  const std::uint16_t id = eth_.port_id;
  std::uint16_t rx_count = config.rx_descriptors;
  std::uint16_t tx_count = config.tx_descriptors;
  int status = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_count, &tx_count);
  if (status != 0) return error("refuses the descriptor counts", status);
  const int socket = rte_eth_dev_socket_id(id);
  const unsigned node = socket < 0 ? 0 : static_cast<unsigned>(socket);
  for (std::uint16_t i = 0; i < queues_; ++i) {
    status = rte_eth_rx_queue_setup(id, i, rx_count, node, nullptr, pools[i]);
    if (status != 0) return error("cannot set up receive queue " + std::to_string(i), status);
    status = rte_eth_tx_queue_setup(id, i, tx_count, node, nullptr);
    if (status != 0) return error("cannot set up transmit queue " + std::to_string(i), status);
  }
  return {};
}

EthPort::~EthPort() {
  if (!attached_) return;
  rte_eth_dev_stop(eth_.port_id);
  rte_eth_dev_close(eth_.port_id);
  rte_eal_hotplug_remove(device_.bus.c_str(), device_.name.c_str());
}

Queue EthPort::queue(std::uint32_t index) noexcept {
  if (index >= queues_) return {};
  return {&eth_, static_cast<std::uint16_t>(index), eth_receive, eth_transmit};
}

PortState EthPort::state() const {
  PortState state;
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(eth_.port_id, &link) == 0) {
    state.link_up = link.link_status == RTE_ETH_LINK_UP;
    state.link_speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  }
  rte_eth_stats stats{};
  if (rte_eth_stats_get(eth_.port_id, &stats) == 0) {
    state.rx_packets = stats.ipackets;
    state.rx_bytes = stats.ibytes;
    state.rx_missed = stats.imissed;
    state.rx_errors = stats.ierrors;
    state.rx_no_mbuf = stats.rx_nombuf;
    state.tx_packets = stats.opackets;
    state.tx_bytes = stats.obytes;
    state.tx_errors = stats.oerrors;
  }
  return state;
}

}  // namespace brink::port
