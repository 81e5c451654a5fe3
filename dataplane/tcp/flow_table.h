// FlowTable: from a pair of endpoints to what stands for it: a connection, a half-open connection
// or one in TIME_WAIT. Open addressing with linear probing under a secret hash, so that a peer
// cannot aim collisions; at most half full; deletion moves entries back, there are no tombstones.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::tcp {

// Both endpoints, as hashed: `local` is ours.
struct alignas(16) FlowKey {
  std::array<std::uint8_t, 16> local{};
  std::array<std::uint8_t, 16> remote{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t zero[12] = {};

  bool operator==(const FlowKey&) const noexcept = default;

  [[nodiscard]] std::uint64_t hash(const base::HashKey& secret) const noexcept {
    return base::keyed_hash(secret, local.data(), sizeof(FlowKey));
  }
  [[nodiscard]] base::IpAddress local_address() const noexcept {
    return base::IpAddress::v6_from_wire(local.data());
  }
  [[nodiscard]] base::IpAddress remote_address() const noexcept {
    return base::IpAddress::v6_from_wire(remote.data());
  }
  static FlowKey of(const base::Endpoint& local, const base::Endpoint& remote) noexcept {
    FlowKey key;
    key.local = local.address.bytes();
    key.remote = remote.address.bytes();
    key.local_port = local.port;
    key.remote_port = remote.port;
    return key;
  }
};
static_assert(sizeof(FlowKey) == 48);

enum class FlowKind : std::uint8_t { kNone, kConnection, kHalfOpen, kTimeWait };

// What a flow is: its kind and its index in the array of that kind.
struct Flow {
  FlowKind kind = FlowKind::kNone;
  std::uint32_t index = 0;
};

class FlowTable {
 public:
  struct Slot {
    std::uint32_t hash;
    std::uint32_t value;  // kind in the top two bits, index below; 0 is an empty slot
  };
  // A power of two, at least twice `flows`.
  static std::uint32_t slot_count(std::uint32_t flows) noexcept;

  // `slots` has slot_count() elements and outlives the table.
  FlowTable(std::span<Slot> slots, const base::HashKey& secret) noexcept;

  [[nodiscard]] std::uint32_t hash_of(const FlowKey& key) const noexcept {
    return static_cast<std::uint32_t>(key.hash(secret_));
  }
  // `matches(Flow)` compares the full key of a candidate.
  template <typename Matches>
  [[nodiscard]] Flow find(std::uint32_t hash, Matches&& matches) const noexcept {
    for (std::uint32_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.value == 0) return {};
      if (slot.hash == hash && matches(unpack(slot.value))) return unpack(slot.value);
    }
  }
  // Preconditions: the flow is not in the table; fewer than slots / 2 are.
  void insert(std::uint32_t hash, Flow flow) noexcept;
  // Preconditions: `flow` (`from`) is in the table under `hash`.
  void erase(std::uint32_t hash, Flow flow) noexcept;
  void replace(std::uint32_t hash, Flow from, Flow to) noexcept;

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

 private:
  static std::uint32_t pack(Flow flow) noexcept {
    return static_cast<std::uint32_t>(flow.kind) << 30 | flow.index;
  }
  static Flow unpack(std::uint32_t value) noexcept {
    return {static_cast<FlowKind>(value >> 30), value & 0x3fffffff};
  }
  [[nodiscard]] std::uint32_t position_of(std::uint32_t hash, Flow flow) const noexcept;

  std::span<Slot> slots_;
  std::uint32_t mask_;
  std::uint32_t size_ = 0;
  base::HashKey secret_;
};

}  // namespace brink::tcp
