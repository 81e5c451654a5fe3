// Topology: which worker runs where and does what, and how flows and ports are shared: the one file
// that turns the settings into the data that steering works with. Pure; cold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/hash.h"
#include "dataplane/base/result.h"
#include "dataplane/edge/config.h"
#include "dataplane/net/neighbour.h"
#include "dataplane/steer/steering.h"

namespace brink::edge {

struct Topology {
  std::uint32_t main_cpu = 0;
  std::vector<WorkerSpec> workers;
  std::vector<std::string> fallbacks;  // sentences for the log
};

// CPUs that this process may run on.
std::vector<std::uint32_t> available_cpus();

// make_topology places the configured workers on `cpus`. Without any configured: one with both
// roles, beside housekeeping if there is a second CPU. On a single CPU all roles fall back to one
// worker there. Errors: a CPU that does not exist, a role that nobody has, too many workers.
base::Result<Topology> make_topology(const Config& config, const std::vector<std::uint32_t>& cpus);

// The steering of this topology. `key` is random.
base::Result<std::unique_ptr<steer::Steering>> make_steering(const Config& config,
                                                             const Topology& topology,
                                                             const base::HashKey& key);

// Which neighbour leads where.
net::LinkRoutes make_routes(const Config& config);

}  // namespace brink::edge
