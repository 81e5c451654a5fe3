// What one answer costs by its kind, everything in the caches: bursts of 32 of the same question.
#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <cstring>
#include <memory>
#include <vector>

#include "dns/answer/engine.h"
#include "perf/support/allocation_count.h"
#include "tests/support/dns_image.h"

namespace brink::dns::answer {
namespace {

constexpr std::size_t kStride = 2368;

const snapshot::Image& image() {
  static const snapshot::Image built = test::image_of_zones(
      {{"example.com.",
        "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\nwww 60 A 192.0.2.3\n"
        "*.w 60 A 192.0.2.2\nalias 60 CNAME www\nsub 60 NS ns1.sub\nsub 60 NS ns2.sub\n"
        "ns1.sub 60 A 192.0.2.4\nns2.sub 60 A 192.0.2.5\n"}});
  return built;
}

void answer(benchmark::State& state, const char* name, std::uint16_t type) {
  const snapshot::View view(image().data());
  const auto query = test::question(name, type, {.edns = true});
  const auto buffers = std::make_unique<std::uint8_t[]>(kBurstMax * kStride);
  const auto engine = std::make_unique<Engine>();
  const auto counters = std::make_unique<ipc::WorkerCounters>();
  Message messages[kBurstMax];
  std::uint64_t cycles = 0;
  std::uint64_t allocations = 0;
  std::size_t done = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBurstMax; ++i) {
      std::uint8_t* buffer = buffers.get() + i * kStride;
      std::memcpy(buffer, query.data(), query.size());
      messages[i] = {buffer, static_cast<std::uint16_t>(query.size()), 2048};
    }
    const std::uint64_t allocated = perf::allocation_count();
    const std::uint64_t start = __rdtsc();
    engine->answer_burst(view, messages, *counters);
    cycles += __rdtsc() - start;
    allocations += perf::allocation_count() - allocated;
    done += kBurstMax;
  }
  state.counters["cycles/op"] = static_cast<double>(cycles) / static_cast<double>(done);
  state.counters["allocs/op"] = static_cast<double>(allocations) / static_cast<double>(done);
  state.SetItemsProcessed(static_cast<std::int64_t>(done));
}

BENCHMARK_CAPTURE(answer, positive, "www.example.com.", 1);
BENCHMARK_CAPTURE(answer, nodata, "www.example.com.", 28);
BENCHMARK_CAPTURE(answer, nxdomain, "nope.example.com.", 1);
BENCHMARK_CAPTURE(answer, wildcard, "x.w.example.com.", 1);
BENCHMARK_CAPTURE(answer, alias, "alias.example.com.", 1);
BENCHMARK_CAPTURE(answer, referral, "www.sub.example.com.", 1);
BENCHMARK_CAPTURE(answer, refused, "www.example.net.", 1);

}  // namespace
}  // namespace brink::dns::answer
