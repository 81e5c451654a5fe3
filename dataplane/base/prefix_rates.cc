#include "dataplane/base/prefix_rates.h"

#include <algorithm>
#include <cstring>

namespace brink::base {
namespace {

// 0 is nobody's.
std::uint32_t tag_of(std::uint64_t hashed) noexcept {
  return static_cast<std::uint32_t>(hashed >> 32 | 1);
}

// Clears what lies behind the first `bits` of the 16 octets.
void mask(std::uint8_t* address, unsigned bits) noexcept {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
    if (kept < 8) address[i] = static_cast<std::uint8_t>(address[i] & (0xff00U >> kept));
  }
}

}  // namespace

std::uint64_t PrefixRates::hash(const IpAddress& client, Subject subject) const noexcept {
  alignas(16) std::uint8_t input[32] = {};
  std::memcpy(input, client.bytes().data(), 16);
  mask(input, client.is_v4() ? 96U + options_.prefix_v4 : options_.prefix_v6);
  std::memcpy(input + 16, &subject.number, sizeof subject.number);
  input[24] = subject.kind;
  return keyed_hash(options_.key, input, sizeof input);
}

// The one with the tag; else the one that was used the longest ago gives way.
std::size_t PrefixRates::way_of(const Line& line, std::uint32_t tag,
                                std::uint16_t second) noexcept {
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < kWays; ++i) {
    if (line.tags[i] == tag) return i;
    const auto age = [&](std::size_t way) {
      return static_cast<std::uint16_t>(second - line.seconds[way]);
    };
    if (age(i) > age(oldest)) oldest = i;
  }
  return oldest;
}

bool PrefixRates::take(const IpAddress& client, Subject subject, Rate rate,
                       std::uint32_t second, std::uint16_t amount) noexcept {
  const std::uint64_t hashed = hash(client, subject);
  Line& line = lines_[hashed & (options_.lines - 1)];
  const std::uint32_t tag = tag_of(hashed);
  const auto now = static_cast<std::uint16_t>(second);
  const std::size_t way = way_of(line, tag, now);
  if (line.tags[way] != tag) {
    line.tags[way] = tag;
    line.taken[way] = 0;
  } else {
    const std::uint32_t passed = static_cast<std::uint16_t>(now - line.seconds[way]);
    const std::uint32_t back = passed * rate.per_second;
    line.taken[way] =
        static_cast<std::uint16_t>(line.taken[way] - std::min<std::uint32_t>(line.taken[way], back));
  }
  line.seconds[way] = now;
  if (line.taken[way] + std::uint32_t{amount} > rate.burst) return false;
  line.taken[way] = static_cast<std::uint16_t>(line.taken[way] + amount);
  return true;
}

void PrefixRates::give_back(const IpAddress& client, Subject subject,
                            std::uint16_t amount) noexcept {
  const std::uint64_t hashed = hash(client, subject);
  Line& line = lines_[hashed & (options_.lines - 1)];
  for (std::size_t way = 0; way < kWays; ++way) {
    if (line.tags[way] != tag_of(hashed)) continue;
    line.taken[way] = static_cast<std::uint16_t>(line.taken[way] - std::min(line.taken[way], amount));
    return;
  }
}

}  // namespace brink::base
