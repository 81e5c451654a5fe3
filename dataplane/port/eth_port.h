// EthPort: one ethdev from attaching to closing. Cold; main thread. Whatever is behind it (a NIC,
// an AF_XDP socket, memif, TAP, pcap) takes the same path; differences are capabilities.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/net/mac.h"
#include "dataplane/port/device.h"
#include "dataplane/port/queue.h"

struct rte_mempool;

namespace brink::port {

struct PortConfig {
  std::string device;        // see parse_device
  std::uint32_t queues = 1;  // wanted: one a worker
  std::uint16_t rx_descriptors = 1024;
  std::uint16_t tx_descriptors = 1024;
  std::uint16_t mtu = 0;  // 0: leave it
  bool promiscuous = false;
};

// What is known of a port beside its queues' traffic.
struct PortState {
  bool link_up = false;
  std::uint32_t link_speed_mbps = 0;
  std::uint64_t rx_packets = 0, rx_bytes = 0, rx_missed = 0, rx_errors = 0, rx_no_mbuf = 0;
  std::uint64_t tx_packets = 0, tx_bytes = 0, tx_errors = 0;
};

class EthPort {
 public:
  // Attaches and starts the first device of parse_device that works, with up to config.queues RX/TX
  // queue pairs; queue i fills from pools[i] (pools.size() >= config.queues). RSS spreads IP, UDP
  // and TCP flows where the device can. Sentences about devices that did not work are appended to
  // `fallbacks`.
  static base::Result<std::unique_ptr<EthPort>> open(const PortConfig& config,
                                                     const std::vector<rte_mempool*>& pools,
                                                     std::vector<std::string>& fallbacks);

  // Stops, closes and detaches; a virtual device's interface and files go with it. Workers have
  // left their queues and every packet of the pools given to open() may then be freed.
  ~EthPort();
  EthPort(const EthPort&) = delete;
  EthPort& operator=(const EthPort&) = delete;

  // The end of queue pair `index`; past the last pair: a Queue that can do neither.
  [[nodiscard]] Queue queue(std::uint32_t index) noexcept;

  [[nodiscard]] std::uint32_t queues() const { return queues_; }
  [[nodiscard]] const net::MacAddress& mac() const { return mac_; }
  [[nodiscard]] std::uint16_t mtu() const { return mtu_; }
  [[nodiscard]] const std::string& name() const { return device_.name; }
  [[nodiscard]] const std::string& driver() const { return driver_; }
  // IPv4, UDP and TCP checksums of sent packets are the device's work (all three, or none).
  [[nodiscard]] bool checksums_sent_packets() const { return tx_checksums_; }
  [[nodiscard]] bool spreads_flows() const { return rss_; }
  [[nodiscard]] PortState state() const;

 private:
  EthPort() = default;
  static base::Result<std::unique_ptr<EthPort>> start(const Device& device,
                                                      const PortConfig& config,
                                                      const std::vector<rte_mempool*>& pools);
  base::Result<void> configure(const PortConfig& config, const std::vector<rte_mempool*>& pools);
  base::Result<void> set_up_queues(const PortConfig& config,
                                   const std::vector<rte_mempool*>& pools);
  [[nodiscard]] base::Error error(const std::string& what, int status) const;

  Device device_;
  EthDevice eth_;
  std::string driver_;
  net::MacAddress mac_;
  std::uint16_t mtu_ = 1500;
  std::uint32_t queues_ = 0;
  bool tx_checksums_ = false;
  bool rss_ = false;
  bool attached_ = false;
};

}  // namespace brink::port
