// What applying one changed record to an image costs, by the size of the image: the transaction is
// checked and decoded, the name's and the zone's new versions are written, the old ones freed.
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/builder.h"
#include "perf/support/micro.h"
#include "perf/support/synthetic_changes.h"

namespace brink::snapshot {
namespace {

// More than the caches hold the names of, made ahead.
constexpr std::size_t kChanges = 1 << 15;
constexpr std::size_t kChangesInBatch = 256;

struct Changed {
  explicit Changed(std::size_t names) {
    const perf::SyntheticOptions options{.names = names};
    Builder builder(base::HashKey{}, {}, names);
    perf::add_synthetic_zones(builder, options);
    image = std::move(builder.finish(1, 0)).value();
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kChanges; ++i) {
      changes.push_back(perf::synthetic_change(options, random() % names,
                                               static_cast<std::uint32_t>(i + 2)));
    }
  }
  Image image;
  Writer writer{image};
  std::vector<std::vector<std::uint8_t>> changes;
  std::size_t next = 0;
};

Changed& changed_image(std::size_t names) {
  static std::map<std::size_t, std::unique_ptr<Changed>> all;
  auto& changed = all[names];
  if (!changed) changed = std::make_unique<Changed>(names);
  return *changed;
}

perf::Batch change(std::size_t names) {
  return [&changed = changed_image(names)]() {
    Writer& writer = changed.writer;
    for (std::size_t i = 0; i < kChangesInBatch; ++i) {
      Garbage garbage = perf::apply_change(writer, changed.changes[changed.next++ % kChanges],
                                           changed.image.generation() + 1);
      while (!garbage.empty()) garbage = writer.release(std::move(garbage));
      writer.maintain(1);
    }
    return kChangesInBatch;
  };
}

const int kRegistered[] = {
    perf::add_micro("writer/one_change/1k", [] { return change(1'000); }),
    perf::add_micro("writer/one_change/1M", [] { return change(1'000'000); }),
    perf::add_micro("writer/one_change/10M", [] { return change(10'000'000); }),
};

}  // namespace
}  // namespace brink::snapshot
