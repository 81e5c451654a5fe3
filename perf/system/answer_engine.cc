// answer-engine: answers per second and core of the answer engine alone, random names of a large
// image, bursts of 32 in 2 KiB buffers. Ceiling: the same queries against an empty image (parse,
// hash, one bucket, REFUSED), which is what everything but finding and copying the answer costs.
// The clock runs while the engine does; making the queries is outside.
// With --ask signed the zones are signed and signatures are asked for; with --ask missing it is a
// flood of random names below them, each answer with its proofs: that the name is not there, or, of
// delegations, a referral without DS.
// With --churn, every other window has a thread on CPU 0 that changes records of the same image.
#include <x86intrin.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "dataplane/snapshot/builder.h"
#include "dns/answer/engine.h"
#include "perf/support/allocation_count.h"
#include "perf/support/churn.h"
#include "perf/support/synthetic_zones.h"

namespace {

using namespace brink;

constexpr std::size_t kBufferSize = 2048;
// Buffers stand as far apart as packets in a pool with its headers: powers of two would share cache
// sets.
constexpr std::size_t kBufferStride = 2368;
constexpr std::size_t kBuffers = 512;
constexpr int kWindows = 9;

double tsc_hz() {
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t first = __rdtsc();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(100)) {
  }
  const std::uint64_t last = __rdtsc();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(last - first) / seconds.count();
}

constexpr int kChurnCpu = 0;

struct Measured {
  double began_s, ended_s;         // of the steady clock
  double cycles_per_answer;        // median of the windows
  double churn_cycles_per_answer;  // of the windows with changes; 0 without any
  double best_cycles_per_answer;   // of the quietest window without changes
  double burst_cycles_per_answer;  // median of the bursts: what others take of the CPU is not in it
  double allocations_per_answer;
  std::uint64_t wrong;
};

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

using MakeQuery = std::function<std::vector<std::uint8_t>(std::size_t index)>;

// `churn`: null, or what changes the image.
Measured measure(const snapshot::Image& image, const perf::SyntheticOptions& options,
                 std::size_t answers, std::size_t at_once, const MakeQuery& make_query, std::uint16_t want_rcode,
                 perf::Churn* churn) {
  const auto memory = std::make_unique<std::uint8_t[]>(kBuffers * kBufferStride);
  const auto engine = std::make_unique<dns::answer::Engine>();
  const auto counters = std::make_unique<ipc::WorkerCounters>();
  std::mt19937_64 random(1);

  // Query templates: enough that their names never stay in the caches.
  const std::size_t kinds = std::min<std::size_t>(options.names, 1'000'000);
  std::vector<std::vector<std::uint8_t>> queries;
  queries.reserve(kinds);
  for (std::size_t i = 0; i < kinds; ++i) {
    queries.push_back(make_query(random() % options.names));
  }

  std::vector<double> windows[2];  // without changes and with
  std::vector<double> middle_bursts;
  std::uint64_t allocations = 0;
  std::uint64_t wrong = 0;
  std::size_t next_query = 0;
  std::size_t next_buffer = 0;
  const int count = churn == nullptr ? kWindows : 2 * kWindows;
  const snapshot::View unchanged = image.view();
  const double began = monotonic_seconds();
  for (int window = 0; window <= count; ++window) {
    const bool changing = churn != nullptr && window % 2 == 0;
    if (churn != nullptr) changing ? churn->run() : churn->pause();
    std::uint64_t cycles = 0;
    std::vector<double> taken;
    taken.reserve(answers / at_once);
    const std::size_t bursts = answers / at_once;
    for (std::size_t burst = 0; burst < bursts; ++burst) {
      dns::answer::Message messages[dns::answer::kBurstMax];
      const std::span asked = std::span(messages).first(at_once);
      for (auto& message : asked) {
        std::uint8_t* buffer = memory.get() + next_buffer++ % kBuffers * kBufferStride;
        const auto& query = queries[next_query++ % kinds];
        std::memcpy(buffer, query.data(), query.size());
        message = {buffer, static_cast<std::uint16_t>(query.size()), kBufferSize};
      }
      const std::uint64_t allocated = perf::allocation_count();
      // The fences keep the making of the queries out of the time, and the answering in it.
      _mm_lfence();
      const std::uint64_t start = __rdtsc();
      engine->answer_burst(churn == nullptr ? unchanged : churn->view(),
                           dns::answer::Transport::kUdp, asked, *counters);
      if (churn != nullptr) churn->quiescent();
      _mm_lfence();
      taken.push_back(static_cast<double>(__rdtsc() - start));
      cycles += static_cast<std::uint64_t>(taken.back());
      allocations += perf::allocation_count() - allocated;
      for (const auto& message : asked) wrong += (message.message[3] & 15U) != want_rcode;
    }
    if (window > 0) {  // the first warms up
      if (!changing) middle_bursts.push_back(median(std::move(taken)) / static_cast<double>(at_once));
      windows[changing].push_back(static_cast<double>(cycles) /
                                  static_cast<double>(bursts * at_once));
    }
  }
  if (churn != nullptr) churn->pause();
  return {began, monotonic_seconds(), median(windows[0]), median(windows[1]),
          *std::min_element(windows[0].begin(), windows[0].end()), median(std::move(middle_bursts)),
          static_cast<double>(allocations) /
              (static_cast<double>(answers) * static_cast<double>(count + 1)),
          wrong};
}

}  // namespace

int main(int argc, char** argv) {
  namespace po = boost::program_options;
  perf::SyntheticOptions options;
  std::size_t answers = 2'000'000, at_once = dns::answer::kBurstMax;
  std::uint32_t changes_per_s = 0;
  std::string ask = "plain";
  std::string chain = "nsec";
  std::string shape;
  po::options_description described("answer_engine");
  described.add_options()("help", "show this")(
      "names", po::value(&options.names)->default_value(options.names), "names in the image")(
      "per-zone", po::value(&options.names_per_zone)->default_value(options.names_per_zone),
      "names in one zone")("answers", po::value(&answers)->default_value(answers),
                           "answers in one window")(
      "burst", po::value(&at_once)->default_value(at_once), "queries at once, 1 to 32")("edns", "queries carry an OPT record")(
      "churn", po::value(&changes_per_s)->default_value(changes_per_s),
      "records changed a second, meanwhile")(
      "ask", po::value(&ask)->default_value(ask), "plain, signed, or missing (and signed)")(
      "chain", po::value(&chain)->default_value(chain), "nsec or nsec3, of signed zones")(
      "shape", po::value(&shape), "delegations: one zone of many delegations");
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, described), given);
  po::notify(given);
  at_once = std::clamp<std::size_t>(at_once, 1, dns::answer::kBurstMax);
  if (given.count("help") != 0) {
    std::cout << described;
    return 0;
  }

  if (!shape.empty()) perf::set_shape(options, shape);
  if (ask != "plain") {
    options.chain = chain == "nsec3" ? perf::SyntheticChain::kNsec3 : perf::SyntheticChain::kNsec;
  }
  const bool edns = given.count("edns") != 0;
  const MakeQuery make_query = [&](std::size_t index) {
    return ask == "plain" ? perf::synthetic_query(options, index, edns)
                          : perf::synthetic_signed_query(options, index, ask == "missing");
  };
  constexpr std::uint16_t kNxDomain = 3, kRefused = 5;

  base::HashKey key;
  std::mt19937_64 random(7);
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  snapshot::ImageOptions placement;
  placement.placement.huge_pages = true;
  auto builder = std::make_unique<snapshot::Builder>(key, placement, options.names);
  add_synthetic_zones(*builder, options);
  auto image = builder->finish(1, 0);
  builder.reset();
  const auto empty = snapshot::Image::create(key, {});
  if (!image || !empty) {
    std::cerr << "no memory for the image\n";
    return 1;
  }
  std::unique_ptr<perf::Churn> churn;
  if (changes_per_s != 0) {
    churn = std::make_unique<perf::Churn>(image.value(), options, changes_per_s, kChurnCpu);
  }
  const bool denied = ask == "missing" && options.shape != perf::Shape::kDelegations;
  const Measured ours = measure(image.value(), options, answers, at_once, make_query,
                                denied ? kNxDomain : 0, churn.get());
  const std::uint64_t changes = churn ? churn->changes() : 0;
  churn.reset();
  const Measured ceiling = measure(empty.value(), options, answers, at_once, make_query, kRefused, nullptr);
  const double hz = tsc_hz();
  const double rate = hz / ours.cycles_per_answer;
  const double peer = hz / ceiling.cycles_per_answer;
  std::printf("%zu names, %.0f MB image: %.1f cycles an answer, %.2f M answers/s\n", options.names,
              static_cast<double>(image.value().usage().memory_bytes) / 1e6, ours.cycles_per_answer,
              rate / 1e6);
  if (changes != 0) {
    std::printf("%llu changes meanwhile: %.1f cycles an answer\n",
                static_cast<unsigned long long>(changes), ours.churn_cycles_per_answer);
  }
  nlohmann::ordered_json line = {
      {"bench", "answer-engine"},
      {"unit", "answers/s"},
      {"brink", rate},
      {"peer", peer},
      {"peer_name", "ceiling: the same queries refused by an empty image"},
      {"ratio", rate / peer},
      {"names", options.names},
      {"ask", ask},
      {"cycles_per_answer", ours.cycles_per_answer},
      {"best_cycles_per_answer", ours.best_cycles_per_answer},
      {"burst_cycles_per_answer", ours.burst_cycles_per_answer},
      {"peer_cycles", ceiling.cycles_per_answer},
      {"peer_burst_cycles", ceiling.burst_cycles_per_answer},
      {"tsc_hz", hz},
      {"began_s", ours.began_s},
      {"ended_s", ours.ended_s},
      {"allocations_per_answer", ours.allocations_per_answer},
      {"wrong", ours.wrong + ceiling.wrong},
      {"image_bytes", image.value().usage().memory_bytes}};
  if (changes != 0) {
    line["churn_changes"] = changes;
    line["churn_cycles"] = ours.churn_cycles_per_answer;
    line["churn_ratio"] = ours.churn_cycles_per_answer / ours.cycles_per_answer;
  }
  std::cout << line.dump() << "\n";
  return ours.wrong + ceiling.wrong == 0 ? 0 : 1;
}
