#include "dataplane/eal/environment.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <filesystem>

namespace brink::eal {
namespace {

constexpr const char* kSysfsHugepages = "/sys/kernel/mm/hugepages";

}  // namespace

base::Result<std::unique_ptr<Environment>> Environment::start(const EalConfig& config) {
  std::unique_ptr<Environment> environment(new Environment);
  const std::uint64_t free_mb =
      config.hugepages == Hugepages::kOff ? 0 : hugepages_free_mb(kSysfsHugepages);
  environment->hugepages_ = config.hugepages != Hugepages::kOff && free_mb >= config.memory_mb;
  if (!environment->hugepages_ && config.hugepages == Hugepages::kRequired) {
    return base::Error{"only " + std::to_string(free_mb) + " MiB of huge pages are free, " +
                           std::to_string(config.memory_mb) + " are asked for",
                       "eal.hugepages = required",
                       "write to /proc/sys/vm/nr_hugepages, or lower eal.memory-mb"};
  }
  if (!environment->hugepages_ && config.hugepages == Hugepages::kAuto) {
    environment->fallback_ = "no huge pages (" + std::to_string(free_mb) + " MiB free of " +
                             std::to_string(config.memory_mb) +
                             "): using ordinary memory, expect more TLB misses";
  }

  std::vector<std::string> arguments = eal_arguments(config, environment->hugepages_);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);  // getopt wants argv[argc]
  if (rte_eal_init(static_cast<int>(arguments.size()), pointers.data()) < 0) {
    std::string line;
    for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + argument;
    return base::Error{std::string("DPDK does not start: ") + rte_strerror(rte_errno), line,
                       "see the lines above, or raise eal.log-level"};
  }
  environment->started_ = true;
  return environment;
}

Environment::~Environment() {
  if (!started_) return;
  const std::string runtime_dir = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  std::error_code ignored;
  std::filesystem::remove_all(runtime_dir, ignored);
}

}  // namespace brink::eal
