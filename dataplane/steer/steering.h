// Steering: for a frame with sound headers, which stage of which worker it is for. Software only
// and the same in every worker, so that it does not matter which queue a NIC delivered to. Constant
// after start; any thread. Hot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/hash.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/net/icmp_error.h"
#include "dataplane/net/packet.h"
#include "dataplane/steer/service_table.h"
#include "dataplane/steer/worker_set.h"

namespace brink::steer {

inline constexpr std::uint16_t kDnsPort = 53;

enum class Action : std::uint8_t {
  kDrop,            // Decision::drop says why
  kDns,             // a datagram for the DNS stage of Decision::worker
  kTcp,             // a segment for a TCP stack of Decision::worker
  kIcmp,            // an ICMP message to a service address: echo is answered where it is
  kIcmpError,       // an error about a segment of Decision::worker's stack
  kArpReply,        // answered where it is
  kNeighbourReply,  // answered where it is
  kKernel,          // the box's own: to the exception path
};

struct Decision {
  Action action = Action::kDrop;
  std::uint8_t worker = 0;
  ipc::Counter drop{};
};

// The counter of a parser's drop. Precondition: not kAccepted.
ipc::Counter counter_of(net::Verdict verdict) noexcept;

struct SteeringConfig {
  base::HashKey key;  // random; of the flow hash and the address table
  WorkerSet dns;
  WorkerSet l7;
  std::uint16_t dot_port = 0;             // of DNS over TLS; 0: none
  PortPartition ports;                    // of connections that the edge opens
  std::optional<base::IpAddress> own_v4;  // their source addresses: the box's own
  std::optional<base::IpAddress> own_v6;
};

class Steering {
 public:
  explicit Steering(const SteeringConfig& config) noexcept;

  // Start only. add_service is false when the table is full.
  bool add_service(const base::IpAddress& address, Services services) noexcept {
    return services_.add(address, services);
  }
  void add_http_port(std::uint16_t port) noexcept {
    http_ports_[port / 64] |= std::uint64_t{1} << (port % 64);
  }

  // decide: `packet` is what parse_frame accepted of `frame`; `self` is the worker that asks.
  [[nodiscard]] Decision decide(std::span<const std::uint8_t> frame, const net::Packet& packet,
                                std::uint8_t self) const noexcept;

  // Which of `workers` has the connection from `remote` to our `local`. Symmetric: swapping gives
  // the same.
  [[nodiscard]] std::uint8_t worker_of_flow(const WorkerSet& workers, const base::Endpoint& local,
                                            const base::Endpoint& remote) const noexcept;

  [[nodiscard]] const SteeringConfig& config() const noexcept { return config_; }

 private:
  [[nodiscard]] bool is_http_port(std::uint16_t port) const noexcept {
    return (http_ports_[port / 64] >> (port % 64) & 1) != 0;
  }
  // The workers whose TCP stacks take what comes to this port of a service; null: nobody's does.
  [[nodiscard]] const WorkerSet* workers_of_port(std::uint16_t port,
                                                 Services services) const noexcept;
  [[nodiscard]] bool is_own(const base::IpAddress& address) const noexcept {
    return (config_.own_v4 && address == *config_.own_v4) ||
           (config_.own_v6 && address == *config_.own_v6);
  }
  [[nodiscard]] bool in_partition(std::uint16_t port) const noexcept {
    return config_.l7.count > 0 && config_.ports.contains(port);
  }
  [[nodiscard]] Decision decide_service(std::span<const std::uint8_t> frame,
                                        const net::Packet& packet, Services services,
                                        std::uint8_t self) const noexcept;
  [[nodiscard]] Decision decide_own(std::span<const std::uint8_t> frame, const net::Packet& packet,
                                    std::uint8_t self) const noexcept;
  [[nodiscard]] Decision decide_icmp(std::span<const std::uint8_t> frame, const net::Packet& packet,
                                     Services services, std::uint8_t self) const noexcept;

  SteeringConfig config_;
  ServiceTable services_;
  std::array<std::uint64_t, 1024> http_ports_{};
};

}  // namespace brink::steer
