// PrefixRates: how often each of many networks does something, in memory of a fixed size: what a flood from
// one of them takes is bounded, and the others do not feel it. Of a network and a subject (a number of
// the caller's choosing) it keeps how much was taken; `per_second` of it comes back with each second that
// begins, and no more than `burst` may be out. With burst = per_second that is so many within a second.
//
// Where there are more networks than lines have room for, the one that was seen the longest ago gives way: that lets
// through too much, never too little. One thread; nothing allocated after construction. Hot.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>

#include "dataplane/base/check.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::base {

struct PrefixRatesOptions {
  std::uint8_t prefix_v4 = 24;  // bits that make a network
  std::uint8_t prefix_v6 = 56;
  std::uint32_t lines = 16384;  // of 64 octets, for eight networks each; a power of two
  HashKey key{};                // random
};

struct Rate {
  std::uint16_t per_second = 0;
  std::uint16_t burst = 0;  // at least per_second
};

class PrefixRates {
 public:
  explicit PrefixRates(const PrefixRatesOptions& options)
      : options_(options), lines_(std::make_unique<Line[]>(options.lines)) {
    CHECK(std::has_single_bit(options.lines));
  }

  struct Subject {
    std::uint64_t number = 0;
    std::uint8_t kind = 0;
  };

  // Takes `amount`, where that much is left; false: it is not, and nothing is taken. `second`: of any clock.
  [[nodiscard]] bool take(const IpAddress& client, Subject subject, Rate rate,
                          std::uint32_t second, std::uint16_t amount = 1) noexcept;
  // What was taken needlessly, of a network that is still remembered.
  void give_back(const IpAddress& client, Subject subject, std::uint16_t amount) noexcept;

 private:
  static constexpr std::size_t kWays = 8;
  struct alignas(64) Line {
    std::uint32_t tags[kWays] = {};
    std::uint16_t seconds[kWays] = {};  // the last, modulo 2^16
    std::uint16_t taken[kWays] = {};    // and not come back by then
  };

  [[nodiscard]] std::uint64_t hash(const IpAddress& client, Subject subject) const noexcept;
  [[nodiscard]] static std::size_t way_of(const Line& line, std::uint32_t tag,
                                          std::uint16_t second) noexcept;

  PrefixRatesOptions options_;
  std::unique_ptr<Line[]> lines_;
};

}  // namespace brink::base
