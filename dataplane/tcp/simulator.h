// Simulator: two stacks joined by a bad network in virtual time, for tests only. Everything follows
// from the seed. The network loses (singly and in bursts), duplicates, delays, reorders, limits the
// packet size and falsifies windows; the applications write a known stream, read slowly or stop
// reading for a while, and close in every order. What was received is compared byte by byte.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "dataplane/tcp/stack.h"

namespace brink::tcp::sim {

class Random {  // SplitMix64
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

struct Network {
  double loss = 0;
  double burst_start = 0;  // chance per packet that a burst of losses begins
  base::Duration burst = std::chrono::milliseconds(30);  // at most
  double duplicate = 0;
  double reorder = 0;  // chance of an extra delay
  double window_falsified = 0;
  base::Duration delay = std::chrono::milliseconds(10);
  base::Duration jitter{};
  std::uint16_t mtu = 1500;  // larger packets are answered by ICMP and dropped
};

struct Plan {
  std::uint64_t seed = 1;
  Network network;
  StackConfig client;
  StackConfig server;
  std::uint32_t connections = 1;
  std::uint32_t client_bytes = 10000;  // at most; each connection draws its own
  std::uint32_t server_bytes = 10000;
  bool exact_bytes = false;
  double stop_reading = 0;  // chance per readable event that the reader rests for a while
  bool may_fail =
      false;         // timeouts are allowed: only that everything ends and nothing leaks counts
  double abort = 0;  // chance per connection that one side aborts midway
  base::Duration spread = std::chrono::milliseconds(500);  // over which connections begin
  base::Duration limit = std::chrono::minutes(60);         // of virtual time
  std::uint32_t wrap_within =
      0;  // the client's first ISN is this far before the wrap; 0: as it comes
};

struct Outcome {
  std::uint32_t completed = 0;  // both ends saw the whole stream and closed normally
  std::uint32_t aborted = 0;
  std::uint32_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t retransmits = 0;
  std::uint64_t timeouts = 0;
  base::Duration elapsed{};
  std::string error;  // the first thing that went wrong; empty when all is well
};

Outcome run(const Plan& plan);

// A stack with the memory it needs.
struct OwnedStack {
  explicit OwnedStack(const StackConfig& config);
  ~OwnedStack();
  StackConfig config;
  ipc::WorkerCounters counters;
  std::byte* memory;
  std::size_t memory_size;
  Stack stack;
};

}  // namespace brink::tcp::sim
