// What DPDK's environment layer is told, made from Brink's own settings. Cold; pure but for
// hugepages_free_mb.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace brink::eal {

enum class Hugepages : std::uint8_t {
  kAuto,      // huge pages when enough are free, else ordinary memory
  kRequired,  // refuse to start without
  kOff,
};

struct EalConfig {
  std::string program = "brink-edge";
  std::uint32_t main_cpu = 0;              // of housekeeping
  std::vector<std::uint32_t> worker_cpus;  // worker i runs as lcore i + 1
  Hugepages hugepages = Hugepages::kAuto;
  std::uint32_t memory_mb = 256;
  std::string file_prefix = "brink";     // of files under /var/run/dpdk
  bool telemetry = false;                // DPDK's own telemetry socket
  std::uint32_t log_level = 4;           // 1 emergency ... 8 debug (rte_log.h)
  std::vector<std::string> pci_devices;  // the only ones that are touched; none: no PCI at all
  std::vector<std::string> extra;        // passed through unread, last
};

inline constexpr std::uint32_t kMainLcore = 0;
inline constexpr std::uint32_t lcore_of_worker(std::uint32_t worker) {
  return worker + 1;
}

// The argument vector of rte_eal_init, program name first.
std::vector<std::string> eal_arguments(const EalConfig& config, bool use_hugepages);

// Free huge pages of all sizes, in MiB, as `sysfs` (/sys/kernel/mm/hugepages) says.
std::uint64_t hugepages_free_mb(const std::string& sysfs);

}  // namespace brink::eal
