// WireHost: Brink's own TCP and TLS on a generator's DPDK port: any number of addresses behind one
// station, as many connections as it is told. It plays clients, origins, or a bare server without
// a proxy. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/clock.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/net/mac.h"
#include "dataplane/tcp/stack.h"
#include "dataplane/tls/engine.h"
#include "dataplane/transport/transport.h"

struct rte_mbuf;
struct rte_mempool;

namespace brink::perf {

class WireHost {
 public:
  // On DPDK port 0. `peer` is the station that every frame goes to.
  WireHost(std::uint32_t connections, const net::MacAddress& own, const net::MacAddress& peer,
           rte_mempool* pool);

  static base::Time now();

  // Takes in a burst of frames and runs the timers.
  void receive(base::Time now);
  // Sends what the stack has.
  void send(base::Time now);

  transport::Transport& transport() { return *transport_; }

 private:
  void take(rte_mbuf* frame, base::Time now);
  bool pack(const tcp::SegmentOut& out);
  void flush();

  static constexpr std::uint16_t kBurst = 32;
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };

  net::MacAddress own_, peer_;
  rte_mempool* pool_;
  ipc::WorkerCounters counters_{};
  std::unique_ptr<std::byte, Free> memory_;
  std::optional<tcp::Stack> stack_;
  std::unique_ptr<tls::Engine> engine_;
  std::optional<transport::Transport> transport_;
  rte_mbuf* sending_[kBurst];
  std::uint16_t sending_count_ = 0;
};

}  // namespace brink::perf
