// ServiceTable: the addresses this edge answers for (anycast: they are not the box's own), and with
// what. Filled at start, then only read. Hot: one keyed hash and mostly one comparison, or, for
// nearly all others' addresses, one bit.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::steer {

// What is served at an address, as bits.
using Services = std::uint8_t;
inline constexpr Services kServiceNone = 0;
inline constexpr Services kServiceDns = 1;
inline constexpr Services kServiceHttp = 2;

inline constexpr std::size_t kServiceAddressesMax = 512;

class ServiceTable {
 public:
  explicit ServiceTable(const base::HashKey& key) noexcept : key_(key) {}

  // Adds services to an address. Start only. False: kServiceAddressesMax addresses are there.
  bool add(const base::IpAddress& address, Services services) noexcept;

  // kServiceNone: not a service address.
  [[nodiscard]] Services find(const base::IpAddress& address) const noexcept {
    if (!may_have(address)) return kServiceNone;
    for (std::size_t slot = slot_of(address);; slot = (slot + 1) % kSlots) {
      const Entry& entry = entries_[slot];
      if (entry.services == kServiceNone || entry.address == address) return entry.services;
    }
  }

 private:
  // At most half full, so that a probe ends soon.
  static constexpr std::size_t kSlots = 2 * kServiceAddressesMax;
  struct Entry {
    base::IpAddress address;
    Services services = kServiceNone;
  };
  // Whether an address of the table has the same last octet: none that a client has is worth a
  // hash.
  [[nodiscard]] bool may_have(const base::IpAddress& address) const noexcept {
    const std::uint8_t last = address.bytes()[15];
    return (last_octets_[last / 64] >> (last % 64) & 1) != 0;
  }
  [[nodiscard]] std::size_t slot_of(const base::IpAddress& address) const noexcept {
    return base::keyed_hash(key_, address.bytes().data(), 16) % kSlots;
  }

  base::HashKey key_;
  std::size_t count_ = 0;
  std::array<std::uint64_t, 4> last_octets_{};
  std::array<Entry, kSlots> entries_{};
};

}  // namespace brink::steer
