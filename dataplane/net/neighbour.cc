#include "dataplane/net/neighbour.h"

#include <cstring>

namespace brink::net {
namespace {

constexpr int kReadTries = 8;

}  // namespace

NeighbourTable::Words NeighbourTable::words_of(const base::IpAddress& address,
                                               std::uint64_t mac) noexcept {
  Words words{0, 0, mac};
  std::memcpy(words.data(), address.bytes().data(), 16);
  return words;
}

// Addresses on our own link are not an attacker's free choice, so a mix without a secret will do.
std::size_t NeighbourTable::slot_of(const Words& words) noexcept {
  std::uint64_t mixed = words[0] * 0x9e3779b97f4a7c15 ^ words[1];
  mixed *= 0xff51afd7ed558ccd;
  return static_cast<std::size_t>(mixed >> 32) % kNeighbourCapacity;
}

bool NeighbourTable::same_address(const Entry& entry, const Words& words) noexcept {
  return entry.words[0].load(std::memory_order_relaxed) == words[0] &&
         entry.words[1].load(std::memory_order_relaxed) == words[1];
}

// Pairs with the two loads of `sequence` in find: the release fence keeps the words behind the odd
// store, the release store keeps them before the even one.
void NeighbourTable::write(Entry& entry, const Words& words) noexcept {
  const std::uint32_t sequence = entry.sequence.load(std::memory_order_relaxed);
  entry.sequence.store(sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t i = 0; i < words.size(); ++i) {
    entry.words[i].store(words[i], std::memory_order_relaxed);
  }
  entry.sequence.store(sequence + 2, std::memory_order_release);
}

bool NeighbourTable::put(const base::IpAddress& address, const MacAddress& mac) noexcept {
  std::uint64_t packed = 0;
  std::memcpy(&packed, mac.bytes().data(), 6);
  const Words words = words_of(address, packed | kInUse);
  const std::size_t first = slot_of(words);
  Entry* vacant = nullptr;
  for (std::size_t i = 0; i < kNeighbourProbes; ++i) {
    Entry& entry = entries_[(first + i) % kNeighbourCapacity];
    const std::uint64_t held = entry.words[2].load(std::memory_order_relaxed);
    if ((held & kInUse) == 0) {
      if (vacant == nullptr) vacant = &entry;
    } else if (same_address(entry, words)) {
      if (held != words[2]) write(entry, words);
      return true;
    }
  }
  if (vacant == nullptr) return false;
  write(*vacant, words);
  return true;
}

void NeighbourTable::erase(const base::IpAddress& address) noexcept {
  const Words words = words_of(address, 0);
  const std::size_t first = slot_of(words);
  for (std::size_t i = 0; i < kNeighbourProbes; ++i) {
    Entry& entry = entries_[(first + i) % kNeighbourCapacity];
    const bool in_use = (entry.words[2].load(std::memory_order_relaxed) & kInUse) != 0;
    if (in_use && same_address(entry, words)) write(entry, words);
  }
}

std::optional<MacAddress> NeighbourTable::find(const base::IpAddress& address) const noexcept {
  const Words wanted = words_of(address, 0);
  const std::size_t first = slot_of(wanted);
  for (std::size_t i = 0; i < kNeighbourProbes; ++i) {
    const Entry& entry = entries_[(first + i) % kNeighbourCapacity];
    for (int tries = 0; tries < kReadTries; ++tries) {
      const std::uint32_t before = entry.sequence.load(std::memory_order_acquire);
      const bool matches = same_address(entry, wanted);
      const std::uint64_t mac = entry.words[2].load(std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_acquire);
      const std::uint32_t after = entry.sequence.load(std::memory_order_relaxed);
      if (before % 2 != 0 || before != after) continue;
      if (!matches || (mac & kInUse) == 0) break;
      std::uint8_t bytes[8];
      std::memcpy(bytes, &mac, sizeof bytes);
      return MacAddress::from_wire(bytes);
    }
  }
  return std::nullopt;
}

bool Prefix::contains(const base::IpAddress& other) const noexcept {
  if (!present || address.is_v4() != other.is_v4()) return false;
  // IPv4 is held in the last 32 of 128 bits; the 96 before them are equal for the whole family.
  std::size_t left = bits + (address.is_v4() ? 96U : 0U);
  for (std::size_t i = 0; i < 16 && left > 0; ++i) {
    const std::size_t take = left < 8 ? left : 8;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - take));
    if (((address.bytes()[i] ^ other.bytes()[i]) & mask) != 0) return false;
    left -= take;
  }
  return true;
}

std::optional<base::IpAddress> LinkRoutes::next_hop(
    const base::IpAddress& destination) const noexcept {
  const bool v4 = destination.is_v4();
  if ((v4 ? on_link_v4 : on_link_v6).contains(destination)) return destination;
  return v4 ? gateway_v4 : gateway_v6;
}

}  // namespace brink::net
