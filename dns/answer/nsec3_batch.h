// Nsec3Batch: the places of several names in chains of NSEC3, hashed side by side: a flood of random
// names asks for three a query, and one after the other they would be most of its cost. Hot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/snapshot/denial.h"

namespace brink::dns::answer {

class Nsec3Batch {
 public:
  static constexpr std::size_t kMax = 96;
  // What is hashed fits one block of SHA-1 (RFC 3174 4), as nearly all names do.
  static constexpr std::size_t kSizeMax = 55;

  // Has finish() make `key` that of the NSEC3 record of a name, in a chain without iterations. The
  // name, in lower-case wire form, is `first` and then `rest`. At most kMax times, only names that with
  // their salt are no longer than kSizeMax.
  void add(std::span<const std::uint8_t> first, std::span<const std::uint8_t> rest,
           std::span<const std::uint8_t> salt, snapshot::DenialKey& key) noexcept;
  void finish() noexcept;

 private:
  static constexpr std::size_t kBlock = 64;

  std::size_t count_ = 0;
  std::array<snapshot::DenialKey*, kMax> keys_{};
  alignas(64) std::array<std::array<std::uint8_t, kBlock>, kMax> blocks_{};
};

}  // namespace brink::dns::answer
