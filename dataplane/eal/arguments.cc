#include "dataplane/eal/arguments.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace brink::eal {
namespace {

// "1@3": lcore 1 runs on CPU 3. Lcores may share a CPU, which is how one core runs everything.
std::string lcore_map(const EalConfig& config) {
  std::string map = std::to_string(kMainLcore) + "@" + std::to_string(config.main_cpu);
  for (std::uint32_t i = 0; i < config.worker_cpus.size(); ++i) {
    map += "," + std::to_string(lcore_of_worker(i)) + "@" + std::to_string(config.worker_cpus[i]);
  }
  return map;
}

}  // namespace

std::vector<std::string> eal_arguments(const EalConfig& config, bool use_hugepages) {
  std::vector<std::string> arguments = {
      config.program, "--lcores=" + lcore_map(config), "--main-lcore=" + std::to_string(kMainLcore),
      "--file-prefix=" + config.file_prefix, "--log-level=" + std::to_string(config.log_level)};
  // Either way nothing is left in files; --no-huge and --in-memory exclude each other.
  if (use_hugepages) {
    arguments.push_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  arguments.insert(arguments.end(), {"-m", std::to_string(config.memory_mb)});
  if (!config.telemetry) arguments.push_back("--no-telemetry");
  // Without a device on a bus nothing needs physical addresses, and pools can be of one piece.
  if (config.pci_devices.empty()) {
    arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});
  }
  for (const std::string& device : config.pci_devices) {
    arguments.insert(arguments.end(), {"-a", device});
  }
  arguments.insert(arguments.end(), config.extra.begin(), config.extra.end());
  return arguments;
}

std::uint64_t hugepages_free_mb(const std::string& sysfs) {
  std::uint64_t total_kb = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(sysfs, failed)) {
    const std::string name = entry.path().filename();  // "hugepages-2048kB"
    const std::size_t dash = name.find('-');
    if (dash == std::string::npos) continue;
    const std::uint64_t page_kb = std::strtoull(name.c_str() + dash + 1, nullptr, 10);
    std::uint64_t free_pages = 0;
    std::ifstream(entry.path() / "free_hugepages") >> free_pages;
    total_kb += page_kb * free_pages;
  }
  return total_kb / 1024;
}

}  // namespace brink::eal
