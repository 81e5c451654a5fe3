// What one answer costs by its kind, everything in the caches: bursts of 32 of the same question.
// The copy of the question into its buffer is part of the figure.
#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/snapshot/builder.h"
#include "dns/answer/engine.h"
#include "perf/support/micro.h"
#include "perf/support/synthetic_zones.h"
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

struct Bench {
  std::vector<std::uint8_t> query;
  std::vector<std::uint8_t> buffers = std::vector<std::uint8_t>(kBurstMax * kStride);
  Engine engine;
  ipc::WorkerCounters counters;

  std::size_t run() {
    Message messages[kBurstMax];
    for (std::size_t i = 0; i < kBurstMax; ++i) {
      std::uint8_t* buffer = buffers.data() + i * kStride;
      std::memcpy(buffer, query.data(), query.size());
      messages[i] = {buffer, static_cast<std::uint16_t>(query.size()), 2048};
    }
    engine.answer_burst(image().view(), Transport::kUdp, messages, counters);
    return kBurstMax;
  }
};

int add(const char* kind, const char* name, std::uint16_t type) {
  return perf::add_micro(std::string("answer/") + kind, [name, type]() -> perf::Batch {
    auto bench = std::make_shared<Bench>();
    bench->query = test::question(name, type, {.edns = true});
    return [bench] { return bench->run(); };
  });
}

// Every other question of a burst is a hit, the rest names that are not there, never the same twice
// running. With `held_back` the ceiling of negative answers drops nearly all of these.
int add_flood(const char* kind, bool held_back) {
  return perf::add_micro(std::string("answer/") + kind, [held_back]() -> perf::Batch {
    struct Flood {
      static guard::RateLimiterOptions options(bool held_back) {
        guard::RateLimiterOptions made;
        made.answers_per_second = 0;
        made.slip = 0;
        made.negative_per_second = held_back ? 1 : 0;
        return made;
      }
      explicit Flood(bool held_back) : limiter(options(held_back)) {
        bench.engine.set_rate_limiter(&limiter);
        for (int i = 0; i < 4096; ++i) {
          const std::string name = "r" + std::to_string(i) + ".example.com.";
          names.push_back(test::question(name, 1, {.edns = true}));
        }
      }
      guard::RateLimiter limiter;
      Bench bench;
      std::vector<std::vector<std::uint8_t>> names;
      std::size_t next = 0;
    };
    auto flood = std::make_shared<Flood>(held_back);
    flood->bench.query = test::question("www.example.com.", 1, {.edns = true});
    return [flood] {
      static const base::IpAddress client = *base::IpAddress::parse("198.51.100.1");
      Message messages[kBurstMax];
      for (std::size_t i = 0; i < kBurstMax; ++i) {
        const auto& query =
            i % 2 == 0 ? flood->bench.query : flood->names[flood->next++ % flood->names.size()];
        std::uint8_t* buffer = flood->bench.buffers.data() + i * kStride;
        std::memcpy(buffer, query.data(), query.size());
        messages[i] = {buffer, static_cast<std::uint16_t>(query.size()), 2048, &client};
      }
      flood->bench.engine.answer_burst(image().view(), Transport::kUdp, messages,
                                       flood->bench.counters);
      return kBurstMax;
    };
  });
}

// Names that are not there, with their proofs, or ones that are, with signatures.
int add_signed(const char* kind, const char* shape, perf::SyntheticChain chain, bool missing) {
  struct Signed {
    Signed(const perf::SyntheticOptions& options, bool missing) {
      snapshot::ImageOptions image_options;
      // Address space set aside for more is more than valgrind has.
      image_options.memory_limit_bytes = std::size_t{64} << 20;
      snapshot::Builder builder(base::HashKey{}, image_options, options.names);
      add_synthetic_zones(builder, options);
      auto built = builder.finish(1, 0);
      CHECK(built.ok());
      image = std::move(built).value();
      for (std::size_t i = 0; i < options.names; ++i) {
        queries.push_back(perf::synthetic_signed_query(options, i, missing));
      }
    }
    snapshot::Image image;
    Bench bench;
    std::vector<std::vector<std::uint8_t>> queries;
    std::size_t next = 0;
  };
  return perf::add_micro(std::string("answer/") + kind, [=]() -> perf::Batch {
    perf::SyntheticOptions options;
    options.names = 256;
    options.chain = chain;
    perf::set_shape(options, shape);
    auto made = std::make_shared<Signed>(options, missing);
    return [made] {
      Bench& bench = made->bench;
      Message messages[kBurstMax];
      for (std::size_t i = 0; i < kBurstMax; ++i) {
        const auto& query = made->queries[made->next++ % made->queries.size()];
        std::uint8_t* buffer = bench.buffers.data() + i * kStride;
        std::memcpy(buffer, query.data(), query.size());
        messages[i] = {buffer, static_cast<std::uint16_t>(query.size()), 2048};
      }
      bench.engine.answer_burst(made->image.view(), Transport::kUdp, messages, bench.counters);
      return kBurstMax;
    };
  });
}

constexpr auto kNsec = perf::SyntheticChain::kNsec;
constexpr auto kNsec3 = perf::SyntheticChain::kNsec3;

const int kRegistered[] = {
    add("positive", "www.example.com.", 1),
    add("nodata", "www.example.com.", 28),
    add("nxdomain", "nope.example.com.", 1),
    add("wildcard", "x.w.example.com.", 1),
    add("alias", "alias.example.com.", 1),
    add("referral", "www.sub.example.com.", 1),
    add("refused", "www.example.net.", 1),
    add_flood("flooded", false),
    add_flood("flood-held-back", true),
    add_signed("signed", "10", kNsec, false),
    add_signed("nxdomain-nsec", "10", kNsec, true),
    add_signed("nxdomain-nsec3", "10", kNsec3, true),
    add_signed("referral-nsec", "delegations", kNsec, true),
    add_signed("referral-nsec3", "delegations", kNsec3, true),
};

}  // namespace
}  // namespace brink::dns::answer
