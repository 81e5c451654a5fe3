// KernelPort: the way to the kernel and back: an interface of the kernel (TAP or virtio-user) that
// carries the box's own traffic with the port's station address. Workers hand frames over by rings,
// so that none of them makes a system call for it. Cold; housekeeping's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/eal/pool.h"
#include "dataplane/net/mac.h"
#include "dataplane/port/eth_port.h"
#include "dataplane/steer/mesh.h"

namespace brink::exception {

enum class KernelDevice : std::uint8_t { kTap, kVirtioUser };

struct KernelPortConfig {
  KernelDevice device = KernelDevice::kTap;
  std::string interface = "brink0";
  net::MacAddress mac;  // the port's own
  std::uint16_t mtu = 1500;
  std::uint16_t vlan_id = 0;  // the kernel sees untagged frames; the tag is ours to take and put
  std::uint8_t transmit_worker = 0;  // whose transmit queue the kernel's frames leave by
};

// The device's name and arguments for EthPort.
std::string kernel_device(const KernelPortConfig& config);

class KernelPort {
 public:
  static base::Result<std::unique_ptr<KernelPort>> open(const KernelPortConfig& config,
                                                        steer::Mesh& mesh);

  // Moves what waits, both ways. Returns how many frames.
  std::uint32_t pump();

  [[nodiscard]] const port::EthPort& port() const { return *port_; }
  // Frames that the other side had no room for.
  [[nodiscard]] std::uint64_t dropped_to_kernel() const { return dropped_to_kernel_; }
  [[nodiscard]] std::uint64_t dropped_from_kernel() const { return dropped_from_kernel_; }

 private:
  KernelPort(const KernelPortConfig& config, steer::Mesh& mesh) : config_(config), mesh_(mesh) {}
  std::uint32_t to_kernel();
  std::uint32_t from_kernel();

  KernelPortConfig config_;
  steer::Mesh& mesh_;
  // Frames of the kernel have packets of their own, so that no other traffic can use them up.
  eal::Pool pool_;
  std::unique_ptr<port::EthPort> port_;
  std::uint64_t dropped_to_kernel_ = 0;
  std::uint64_t dropped_from_kernel_ = 0;
};

}  // namespace brink::exception
