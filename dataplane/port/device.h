// Device: how the operator names a port, and which DPDK device that is. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/result.h"

namespace brink::port {

// One device that DPDK can attach.
struct Device {
  std::string bus;        // "pci" or "vdev"
  std::string name;       // "0000:00:04.0", "net_memif0"
  std::string arguments;  // of the driver, comma separated; may be empty
};

// parse_device understands
//   auto:IFACE             AF_XDP on that interface of the kernel, else af_packet
//   DDDD:BB:DD.F[,ARGS]    a PCI device
//   net_DRIVER[,ARGS]      a virtual device (af_xdp, af_packet, tap, memif, vhost, pcap, ring, ...)
// and gives the devices to try, best first. `queues` is how many queue pairs are wanted, `channels`
// how many the kernel's interface has (auto: only).
base::Result<std::vector<Device>> parse_device(const std::string& text, std::uint32_t queues,
                                               std::uint32_t channels);

// The interface named by auto:IFACE; empty for anything else.
std::string auto_interface(const std::string& text);

// Combined channels of a kernel interface (ethtool -l); 1 when it has none or does not say.
std::uint32_t interface_channels(const std::string& interface);

}  // namespace brink::port
