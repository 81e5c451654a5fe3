// NeighbourTable: link addresses of the stations next to us, as the kernel resolved them (ARP,
// NDP). Written by the housekeeping thread alone, read by every worker without a lock: each entry
// is a sequence lock (odd while it is being written). LinkRoutes: which neighbour a destination
// goes by.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/ip.h"
#include "dataplane/net/mac.h"

namespace brink::net {

inline constexpr std::size_t kNeighbourCapacity = 512;  // a power of two
inline constexpr std::size_t kNeighbourProbes = 16;     // slots an address may be in

class NeighbourTable {
 public:
  // Writer: the housekeeping thread. False: the address' slots are all taken by others.
  bool put(const base::IpAddress& address, const MacAddress& mac) noexcept;
  void erase(const base::IpAddress& address) noexcept;

  // Reader: any thread. Empty also when the entry was being rewritten at that very moment for
  // longer than a few tries; the packet is then treated as one without a neighbour.
  [[nodiscard]] std::optional<MacAddress> find(const base::IpAddress& address) const noexcept;

 private:
  // housekeeping: wo, workers: ro. `words`: the address' two halves, then the MAC with kInUse.
  struct Entry {
    std::atomic<std::uint32_t> sequence{0};
    std::array<std::atomic<std::uint64_t>, 3> words{};
  };
  static constexpr std::uint64_t kInUse = std::uint64_t{1} << 63;
  using Words = std::array<std::uint64_t, 3>;

  static Words words_of(const base::IpAddress& address, std::uint64_t mac) noexcept;
  static std::size_t slot_of(const Words& words) noexcept;
  static bool same_address(const Entry& entry, const Words& words) noexcept;
  static void write(Entry& entry, const Words& words) noexcept;
  std::array<Entry, kNeighbourCapacity> entries_;
};

// Prefix is a network with its length; 0 bits and an unspecified network match nothing.
struct Prefix {
  base::IpAddress address;  // host bits may be set; they are not compared
  std::uint8_t bits = 0;    // 0-32 for IPv4, 0-128 for IPv6
  bool present = false;

  [[nodiscard]] bool contains(const base::IpAddress& other) const noexcept;
};

// Constant after start.
struct LinkRoutes {
  Prefix on_link_v4;
  Prefix on_link_v6;
  std::optional<base::IpAddress> gateway_v4;
  std::optional<base::IpAddress> gateway_v6;

  // The neighbour that leads to `destination`; empty when there is no route.
  [[nodiscard]] std::optional<base::IpAddress> next_hop(
      const base::IpAddress& destination) const noexcept;
};

}  // namespace brink::net
