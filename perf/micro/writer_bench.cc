// What applying one changed record to an image costs, by the size of the image: the transaction is
// checked and decoded, the name's and the zone's new versions are written, the old ones freed; with
// the log, as brink-edge does it, also appended to a log on the disk before it is committed.
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/log.h"
#include "perf/support/micro.h"
#include "perf/support/synthetic_changes.h"

namespace brink::snapshot {
namespace {

// More than the caches hold the names of, made ahead.
constexpr std::size_t kChanges = 1 << 15;
constexpr std::size_t kChangesInBatch = 256;

// Enough for the largest; valgrind has not the address space for more.
constexpr std::size_t kMemoryLimit = std::size_t{4} << 30;

struct Changed {
  explicit Changed(std::size_t names) {
    const perf::SyntheticOptions options{.names = names};
    ImageOptions image_options;
    image_options.memory_limit_bytes = kMemoryLimit;
    Builder builder(base::HashKey{}, image_options, names);
    perf::add_synthetic_zones(builder, options);
    image = std::move(builder.finish(1, 0)).value();
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kChanges; ++i) {
      changes.push_back(
          perf::synthetic_change(options, random() % names, static_cast<std::uint32_t>(i + 2)));
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

// A log that is gone with the program, and never longer than a batch.
class ShortLog {
 public:
  ShortLog() : log_(std::move(Log::open(path_, 0)).value()) {}
  ~ShortLog() { std::filesystem::remove(path_); }
  void append(std::span<const std::uint8_t> transaction) {
    CHECK(log_.append(transaction).ok());
    if (log_.size_bytes() > kLogSizeMax) log_ = std::move(Log::open(path_, 0)).value();
  }

 private:
  static constexpr std::size_t kLogSizeMax = std::size_t{16} << 20;
  const std::string path_ = "/tmp/brink-bench-" + std::to_string(::getpid()) + ".log";
  Log log_;
};

perf::Batch change(std::size_t names, const std::shared_ptr<ShortLog>& log) {
  return [&changed = changed_image(names), log]() {
    Writer& writer = changed.writer;
    for (std::size_t i = 0; i < kChangesInBatch; ++i) {
      const auto& transaction = changed.changes[changed.next++ % kChanges];
      if (log) log->append(transaction);
      Garbage garbage = perf::apply_change(writer, transaction, changed.image.generation() + 1);
      while (!garbage.empty()) garbage = writer.release(std::move(garbage));
      writer.maintain(1);
    }
    return kChangesInBatch;
  };
}

void add(const std::string& size, std::size_t names) {
  perf::add_micro("writer/one_change/" + size, [names] { return change(names, nullptr); });
  perf::add_micro("writer/one_change_logged/" + size,
                  [names] { return change(names, std::make_shared<ShortLog>()); });
}

const int kRegistered = [] {
  add("1k", 1'000);
  add("1M", 1'000'000);
  add("10M", 10'000'000);
  return 0;
}();

}  // namespace
}  // namespace brink::snapshot
