// What finding a name costs, one at a time and in prefetched bursts of 32. Every benchmark reports
// cycles (TSC) and allocations an operation.
#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <map>
#include <memory>
#include <random>

#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/view.h"
#include "perf/support/allocation_count.h"
#include "perf/support/synthetic_zones.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kKinds = 1 << 16;

const Image& image_of(std::size_t names) {
  static std::map<std::size_t, Image> images;
  auto at = images.find(names);
  if (at == images.end()) {
    Builder builder{base::HashKey{}};
    perf::add_synthetic_zones(builder, {.names = names});
    at = images.emplace(names, std::move(Image::build(builder, 1, 0)).value()).first;
  }
  return at->second;
}

// Keys of random names, absent ones if `missing`.
std::vector<NameKey> keys_of(const View& view, std::size_t names, bool missing) {
  std::mt19937_64 random(1);
  std::vector<NameKey> keys(kKinds);
  for (NameKey& key : keys) {
    std::string name = perf::synthetic_name({.names = names}, random() % names);
    if (missing) name[1] = 'x';
    set_key(key, view.hash_key(), reinterpret_cast<const std::uint8_t*>(name.data()), name.size(),
            name.size());
  }
  return keys;
}

class Meter {
 public:
  Meter() : allocations_(perf::allocation_count()), start_(__rdtsc()) {}
  void report(benchmark::State& state, std::size_t operations) const {
    const auto done = static_cast<double>(operations);
    state.counters["cycles/op"] = static_cast<double>(__rdtsc() - start_) / done;
    state.counters["allocs/op"] =
        static_cast<double>(perf::allocation_count() - allocations_) / done;
    state.SetItemsProcessed(static_cast<std::int64_t>(operations));
  }

 private:
  std::uint64_t allocations_;
  std::uint64_t start_;
};

void one_at_a_time(benchmark::State& state, bool missing) {
  const auto names = static_cast<std::size_t>(state.range(0));
  const View view(image_of(names).data());
  const auto keys = keys_of(view, names, missing);
  std::size_t done = 0;
  const Meter meter;
  for (auto _ : state) benchmark::DoNotOptimize(view.lookup(keys[done++ % kKinds]));
  meter.report(state, done);
}

void burst(benchmark::State& state) {
  const auto names = static_cast<std::size_t>(state.range(0));
  const View view(image_of(names).data());
  const auto keys = keys_of(view, names, false);
  std::size_t done = 0;
  const Meter meter;
  for (auto _ : state) {
    const NameKey* batch = &keys[done % kKinds];
    std::uint32_t candidates[kBurst];
    for (std::size_t i = 0; i < kBurst; ++i) view.prefetch_bucket(batch[i].hash);
    for (std::size_t i = 0; i < kBurst; ++i) {
      candidates[i] = view.candidate(batch[i].hash);
      view.prefetch_record(candidates[i]);
    }
    for (std::size_t i = 0; i < kBurst; ++i) {
      benchmark::DoNotOptimize(view.same_name(view.record(candidates[i]), batch[i]));
    }
    done += kBurst;
  }
  meter.report(state, done);
}

void hit(benchmark::State& state) {
  one_at_a_time(state, false);
}
void miss(benchmark::State& state) {
  one_at_a_time(state, true);
}
BENCHMARK(hit)->Name("name_table/hit")->Arg(20'000)->Arg(1'000'000);
BENCHMARK(miss)->Name("name_table/miss")->Arg(20'000)->Arg(1'000'000);
BENCHMARK(burst)->Name("name_table/burst32")->Arg(20'000)->Arg(1'000'000);

void hash_name(benchmark::State& state) {
  const std::string name = perf::synthetic_name({}, 12345);
  std::vector<std::uint8_t> padded(name.begin(), name.end());
  padded.resize(name.size() + 32);
  const base::HashKey hash_key;
  NameKey key;
  std::size_t done = 0;
  const Meter meter;
  for (auto _ : state) {
    set_key(key, hash_key, padded.data(), name.size(), padded.size());
    benchmark::DoNotOptimize(key.hash);
    ++done;
  }
  meter.report(state, done);
}
BENCHMARK(hash_name)->Name("name_table/set_key");

}  // namespace
}  // namespace brink::snapshot
