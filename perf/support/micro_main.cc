#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>
#include <x86intrin.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "perf/support/allocation_count.h"
#include "perf/support/micro.h"

namespace brink::perf {
namespace {

struct Micro {
  std::string name;
  std::function<Batch()> prepare;
};

std::vector<Micro>& micros() {
  static std::vector<Micro> all;
  return all;
}

void measure(benchmark::State& state, const Micro& micro) {
  const Batch batch = micro.prepare();
  batch();
  std::size_t operations = 0;
  std::uint64_t cycles = 0;
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    const std::uint64_t allocated = allocation_count();
    const std::uint64_t start = __rdtsc();
    operations += batch();
    cycles += __rdtsc() - start;
    allocations += allocation_count() - allocated;
  }
  const auto done = static_cast<double>(operations);
  state.counters["cycles/op"] = static_cast<double>(cycles) / done;
  state.counters["allocs/op"] = static_cast<double>(allocations) / done;
  state.SetItemsProcessed(static_cast<std::int64_t>(operations));
}

// Prints the operations that were run, preparation and a first batch apart. Callgrind, told not to
// count from the start, counts these alone.
int count(const std::string& name, long batches) {
  for (const Micro& micro : micros()) {
    if (micro.name != name) continue;
    const Batch batch = micro.prepare();
    batch();
    std::size_t operations = 0;
    CALLGRIND_START_INSTRUMENTATION;
    for (long i = 0; i < batches; ++i) operations += batch();
    CALLGRIND_STOP_INSTRUMENTATION;
    std::printf("%zu\n", operations);
    return 0;
  }
  std::fprintf(stderr, "no benchmark %s\n", name.c_str());
  return 2;
}

}  // namespace

int add_micro(std::string name, std::function<Batch()> prepare) {
  micros().push_back({std::move(name), std::move(prepare)});
  return static_cast<int>(micros().size());
}

}  // namespace brink::perf

int main(int argc, char** argv) {
  using namespace brink::perf;
  if (argc == 4 && std::strcmp(argv[1], "--count") == 0) return count(argv[2], std::atol(argv[3]));
  for (const Micro& micro : micros()) {
    benchmark::RegisterBenchmark(micro.name.c_str(),
                                 [&micro](benchmark::State& s) { measure(s, micro); });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
