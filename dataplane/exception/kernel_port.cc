#include "dataplane/exception/kernel_port.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>

namespace brink::exception {
namespace {

constexpr std::uint16_t kDescriptors = 256;

}  // namespace

std::string kernel_device(const KernelPortConfig& config) {
  const std::string mac(config.mac.text().view());
  switch (config.device) {
    case KernelDevice::kTap:
      return "net_tap0,iface=" + config.interface + ",mac=" + mac;
    case KernelDevice::kVirtioUser:
      return "net_virtio_user0,path=/dev/vhost-net,iface=" + config.interface + ",mac=" + mac +
             ",queue_size=" + std::to_string(kDescriptors);
  }
  return {};
}

base::Result<std::unique_ptr<KernelPort>> KernelPort::open(const KernelPortConfig& config,
                                                           steer::Mesh& mesh) {
  std::unique_ptr<KernelPort> kernel(new KernelPort(config, mesh));
  const std::uint32_t packets = 2 * kDescriptors + steer::kTransmitRingSize + 2 * port::kBurst;
  const auto data_size = static_cast<std::uint16_t>(std::max<int>(2048, config.mtu + 64));
  auto pool = eal::make_pool("kernel", packets, data_size, -1);
  if (!pool) return pool.error();
  kernel->pool_ = std::move(pool).value();

  port::PortConfig port;
  port.device = kernel_device(config);
  port.queues = 1;
  port.rx_descriptors = port.tx_descriptors = kDescriptors;
  port.mtu = config.mtu;
  std::vector<std::string> fallbacks;
  auto opened = port::EthPort::open(port, {kernel->pool_.get()}, fallbacks);
  if (!opened) return opened.error();
  kernel->port_ = std::move(opened).value();
  return kernel;
}

std::uint32_t KernelPort::pump() {
  return to_kernel() + from_kernel();
}

std::uint32_t KernelPort::to_kernel() {
  std::uint32_t total = 0;
  for (std::uint32_t worker = 0; worker < mesh_.workers(); ++worker) {
    rte_mbuf* burst[port::kBurst];
    const auto count = static_cast<std::uint16_t>(rte_ring_sc_dequeue_burst(
        mesh_.kernel(worker), reinterpret_cast<void**>(burst), port::kBurst, nullptr));
    if (count == 0) continue;
    for (std::uint16_t i = 0; i < count; ++i) {
      burst[i]->ol_flags = 0;
      rte_vlan_strip(burst[i]);  // leaves an untagged frame alone
    }
    const std::uint16_t sent = port_->queue(0).transmit(burst, count);
    for (std::uint16_t i = sent; i < count; ++i) rte_pktmbuf_free(burst[i]);
    dropped_to_kernel_ += count - sent;
    total += count;
  }
  return total;
}

std::uint32_t KernelPort::from_kernel() {
  rte_mbuf* burst[port::kBurst];
  const std::uint16_t count = port_->queue(0).receive(burst, port::kBurst);
  rte_ring* ring = mesh_.transmit(mesh_.workers(), config_.transmit_worker);
  for (std::uint16_t i = 0; i < count; ++i) {
    burst[i]->ol_flags = 0;
    burst[i]->vlan_tci = config_.vlan_id;
    const bool tagged = config_.vlan_id == 0 || rte_vlan_insert(&burst[i]) == 0;
    if (!tagged || rte_ring_sp_enqueue(ring, burst[i]) != 0) {
      ++dropped_from_kernel_;
      rte_pktmbuf_free(burst[i]);
    }
  }
  return count;
}

}  // namespace brink::exception
