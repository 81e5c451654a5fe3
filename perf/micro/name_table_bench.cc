// What finding a name costs, one at a time and in prefetched bursts of 32, hits and misses.
#include <map>
#include <random>
#include <vector>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/view.h"
#include "perf/support/micro.h"
#include "perf/support/synthetic_zones.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kKinds = 1 << 13;

const Image& image_of(std::size_t names) {
  static std::map<std::size_t, Image> images;
  auto at = images.find(names);
  if (at == images.end()) {
    Builder builder{base::HashKey{}};
    perf::add_synthetic_zones(builder, {.names = names});
    at = images.emplace(names, std::move(builder.finish(1, 0)).value()).first;
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

// Keeps the compiler from dropping a result.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

perf::Batch one_at_a_time(std::size_t names, bool missing) {
  const View view = image_of(names).view();
  return [view, keys = keys_of(view, names, missing), at = std::size_t{0}]() mutable {
    for (std::size_t i = 0; i < kBurst; ++i) keep(view.lookup(keys[at++ % kKinds]));
    return kBurst;
  };
}

perf::Batch burst(std::size_t names) {
  const View view = image_of(names).view();
  return [view, keys = keys_of(view, names, false), at = std::size_t{0}]() mutable {
    const NameKey* batch = &keys[at % kKinds];
    std::uint32_t candidates[kBurst];
    for (std::size_t i = 0; i < kBurst; ++i) view.prefetch_bucket(batch[i].hash);
    for (std::size_t i = 0; i < kBurst; ++i) {
      candidates[i] = view.candidate(batch[i].hash);
      view.prefetch_record(candidates[i]);
    }
    for (std::size_t i = 0; i < kBurst; ++i) {
      keep(view.is_hit(view.record(candidates[i]), batch[i]));
    }
    at += kBurst;
    return kBurst;
  };
}

perf::Batch make_key() {
  const std::string name = perf::synthetic_name({}, 12345);
  std::vector<std::uint8_t> padded(name.begin(), name.end());
  padded.resize(name.size() + 32);
  return [padded, size = name.size()] {
    const base::HashKey hash_key;
    NameKey key;
    for (std::size_t i = 0; i < kBurst; ++i) {
      set_key(key, hash_key, padded.data(), size, padded.size());
      keep(key);
    }
    return kBurst;
  };
}

const int kRegistered[] = {
    perf::add_micro("name_table/set_key", make_key),
    perf::add_micro("name_table/hit/20k", [] { return one_at_a_time(20'000, false); }),
    perf::add_micro("name_table/miss/20k", [] { return one_at_a_time(20'000, true); }),
    perf::add_micro("name_table/burst32/20k", [] { return burst(20'000); }),
    perf::add_micro("name_table/hit/1M", [] { return one_at_a_time(1'000'000, false); }),
    perf::add_micro("name_table/miss/1M", [] { return one_at_a_time(1'000'000, true); }),
    perf::add_micro("name_table/burst32/1M", [] { return burst(1'000'000); }),
};

}  // namespace
}  // namespace brink::snapshot
