// Scales: counts of durations in buckets whose width is a fixed share of their value, so that a
// percentile is off by that share at most whatever its size.
//
//   BUCKET (P = 2^Bits)  VALUES
//   0..P-1               0..P-1, one each
//   P * (e + 1) + i      2^e * (P + i) and up, 2^e of them: e = 0..Octaves-1, i = 0..P-1
//   the last             also everything above
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace brink::base {

template <unsigned Bits, unsigned Octaves>
struct LogLinearScale {
  static constexpr unsigned kBits = Bits;
  static constexpr std::uint64_t kPerOctave = 1U << kBits;
  static constexpr std::size_t kBuckets = kPerOctave * (Octaves + 1);

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < kPerOctave) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    const std::size_t bucket = kPerOctave * shift + (value >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The largest value of a bucket.
  static constexpr std::uint64_t upper_bound(std::size_t bucket) noexcept {
    if (bucket < kPerOctave) return bucket;
    const std::uint64_t shift = bucket / kPerOctave - 1;
    return ((kPerOctave + bucket % kPerOctave + 1) << shift) - 1;
  }
};

// Nanoseconds to a minute, a sixteenth (6 %) wide.
using LogLinear = LogLinearScale<4, 32>;

// What is told of such counts: values that so many in a hundred were not above.
struct Percentiles {
  std::uint64_t count = 0, p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
};

// `counts` by bucket. `max`: the largest value, where it is known better than its bucket.
template <typename Scale = LogLinear>
Percentiles percentiles_of(std::span<const std::uint64_t> counts,
                                  std::uint64_t max = ~std::uint64_t{0}) noexcept {
  Percentiles told;
  for (const std::uint64_t count : counts) told.count += count;
  const auto value_at = [&](std::uint64_t thousandths) -> std::uint64_t {
    // The one of this rank in the order of values, from 1.
    const auto rank = static_cast<std::uint64_t>(
        (static_cast<unsigned __int128>(told.count) * thousandths + 999) / 1000);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      seen += counts[i];
      if (seen >= rank) return Scale::upper_bound(i) < max ? Scale::upper_bound(i) : max;
    }
    return 0;
  };
  if (told.count == 0) return told;
  told.p50 = value_at(500);
  told.p90 = value_at(900);
  told.p99 = value_at(990);
  told.p999 = value_at(999);
  told.max = max != ~std::uint64_t{0} ? max : value_at(1000);
  return told;
}

}  // namespace brink::base
