#include "dataplane/edge/topology.h"

#include <sched.h>

#include <algorithm>

#include "dataplane/ipc/stats_segment.h"

namespace brink::edge {
namespace {

bool contains(const std::vector<std::uint32_t>& cpus, std::uint32_t cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

std::string cpu_list(const std::vector<std::uint32_t>& cpus) {
  std::string text;
  for (const std::uint32_t cpu : cpus) text += (text.empty() ? "" : ", ") + std::to_string(cpu);
  return text;
}

std::uint32_t all_roles(const std::vector<WorkerSpec>& workers) {
  std::uint32_t roles = 0;
  for (const WorkerSpec& worker : workers) roles |= worker.roles;
  return roles;
}

base::Result<void> check_roles(const Config& config, const Topology& topology) {
  const std::uint32_t roles = all_roles(topology.workers);
  if (!config.dns_addresses.empty() && (roles & ipc::kRoleDns) == 0) {
    return base::Error{"no worker has the role dns", "topology.worker",
                       "give one worker the role dns, or no service.dns"};
  }
  if (!config.proxied_addresses.empty() && (roles & ipc::kRoleL7) == 0) {
    return base::Error{"no worker has the role l7", "topology.worker",
                       "give one worker the role l7, or no service.proxied"};
  }
  return {};
}

}  // namespace

std::vector<std::uint32_t> available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

base::Result<Topology> make_topology(const Config& config, const std::vector<std::uint32_t>& cpus) {
  Topology topology;
  topology.main_cpu = config.main_cpu;
  topology.workers = config.workers;
  if (topology.workers.empty()) {
    topology.workers = {{cpus.back(), ipc::kRoleDns | ipc::kRoleL7}};
  }
  if (topology.workers.size() > steer::kWorkersMax) {
    return base::Error{"more than " + std::to_string(steer::kWorkersMax) + " workers",
                       "topology.worker", "give fewer"};
  }
  const auto missing =
      std::find_if(topology.workers.begin(), topology.workers.end(),
                   [&](const WorkerSpec& worker) { return !contains(cpus, worker.cpu); });
  if (cpus.size() == 1 && (missing != topology.workers.end() || !contains(cpus, config.main_cpu))) {
    topology.fallbacks.push_back("only CPU " + std::to_string(cpus[0]) +
                                 " is available: one worker there has all roles");
    topology.main_cpu = cpus[0];
    topology.workers = {{cpus[0], all_roles(topology.workers)}};
  } else if (missing != topology.workers.end()) {
    return base::Error{"CPU " + std::to_string(missing->cpu) + " is not available",
                       "topology.worker", "choose among CPUs " + cpu_list(cpus)};
  } else if (!contains(cpus, config.main_cpu)) {
    return base::Error{"CPU " + std::to_string(config.main_cpu) + " is not available",
                       "topology.main-cpu", "choose among CPUs " + cpu_list(cpus)};
  }
  const auto roles = check_roles(config, topology);
  if (!roles) return roles.error();
  return topology;
}

base::Result<std::unique_ptr<steer::Steering>> make_steering(const Config& config,
                                                             const Topology& topology,
                                                             const base::HashKey& key) {
  steer::SteeringConfig steering;
  steering.key = key;
  steering.dot_port = config.dot_port;
  for (std::uint32_t i = 0; i < topology.workers.size(); ++i) {
    if ((topology.workers[i].roles & ipc::kRoleDns) != 0) steering.dns.add(i);
    if ((topology.workers[i].roles & ipc::kRoleL7) != 0) steering.l7.add(i);
  }
  steering.ports = steer::PortPartition::split(config.origin_port_first, steering.l7.count);
  if (config.own_v4) steering.own_v4 = config.own_v4->address;
  if (config.own_v6) steering.own_v6 = config.own_v6->address;
  auto made = std::make_unique<steer::Steering>(steering);
  bool fits = true;
  for (const auto& address : config.dns_addresses) {
    fits = made->add_service(address, steer::kServiceDns) && fits;
  }
  for (const auto& address : config.proxied_addresses) {
    fits = made->add_service(address, steer::kServiceHttp) && fits;
  }
  if (!fits) {
    return base::Error{
        "more than " + std::to_string(steer::kServiceAddressesMax) + " service addresses",
        "service.dns, service.proxied", "give fewer, or several edges"};
  }
  for (const std::uint16_t port : config.http_ports) made->add_http_port(port);
  for (const std::uint16_t port : config.https_ports) made->add_http_port(port);
  return made;
}

net::LinkRoutes make_routes(const Config& config) {
  net::LinkRoutes routes;
  if (config.own_v4) routes.on_link_v4 = {config.own_v4->address, config.own_v4->bits, true};
  if (config.own_v6) routes.on_link_v6 = {config.own_v6->address, config.own_v6->bits, true};
  routes.gateway_v4 = config.gateway_v4;
  routes.gateway_v6 = config.gateway_v6;
  return routes;
}

}  // namespace brink::edge
