// WorkerSet: which workers run a stage, and how flows and origin-side ports are shared among them.
// Plain data, constant after start. PortPartition is the arithmetic by which an origin's packets
// find their worker again, whatever queue they come in by.
#pragma once

#include <array>
#include <cstdint>

namespace brink::steer {

inline constexpr std::uint32_t kWorkersMax = 32;

struct WorkerSet {
  std::array<std::uint8_t, kWorkersMax> workers{};
  std::uint8_t count = 0;

  void add(std::uint32_t worker) noexcept { workers[count++] = static_cast<std::uint8_t>(worker); }
  [[nodiscard]] bool contains(std::uint32_t worker) const noexcept {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (workers[i] == worker) return true;
    }
    return false;
  }
  // A share of 1 / count for each; the high half of the hash decides. Precondition: count > 0.
  [[nodiscard]] std::uint8_t by_hash(std::uint64_t hash) const noexcept {
    return workers[((hash >> 32) * count) >> 32];
  }
};

// The ports [first, first + width * count) belong to `count` L7 workers, `width` each.
struct PortPartition {
  std::uint16_t first = 0;
  std::uint16_t width = 0;  // 0: no ports
  std::uint8_t count = 0;

  struct Range {
    std::uint16_t first;
    std::uint16_t last;
  };

  // Splits [first, 65535] evenly; what does not divide stays unused.
  static PortPartition split(std::uint16_t first, std::uint8_t count) noexcept {
    if (count == 0) return {};
    return {first, static_cast<std::uint16_t>((0x10000U - first) / count), count};
  }
  [[nodiscard]] bool contains(std::uint16_t port) const noexcept {
    return port >= first &&
           static_cast<std::uint32_t>(port - first) < static_cast<std::uint32_t>(width) * count;
  }
  // Position among the L7 workers. Precondition: contains(port).
  [[nodiscard]] std::uint8_t index_of(std::uint16_t port) const noexcept {
    return static_cast<std::uint8_t>((port - first) / width);
  }
  // Precondition: index < count.
  [[nodiscard]] Range range_of(std::uint8_t index) const noexcept {
    const std::uint32_t begin = first + std::uint32_t{width} * index;
    return {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(begin + width - 1)};
  }
};

}  // namespace brink::steer
