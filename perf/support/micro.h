// Micro benchmarks: each is a name and a way to prepare a batch of operations. The program that
// links micro_main.cc measures them with Google Benchmark (cycles and allocations an operation),
// or, called with --count NAME BATCHES, just runs that many batches, which is what
// perf/system/micro feeds to cachegrind: the difference of two counts is the instructions of the
// batches between, exactly.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace brink::perf {

// Runs some operations; returns how many. Called over and over; owns what it needs.
using Batch = std::function<std::size_t()>;

// Registers a benchmark; `prepare` is called when it is about to run. Call before main, as
//     const int registered = perf::add_micro("name_table/hit", prepare);
int add_micro(std::string name, std::function<Batch()> prepare);

}  // namespace brink::perf
