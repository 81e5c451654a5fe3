#include "dataplane/ipc/stats_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace brink::ipc {
namespace {

base::Error system_error(const char* what, const std::string& path, const char* remedy) {
  return {std::string(what) + ": " + std::strerror(errno), path, remedy};
}

// Fits `count` entries of `size` bytes at `offset` into `total`.
bool fits(std::uint64_t offset, std::uint64_t count, std::uint64_t size, std::uint64_t total) {
  return offset <= total && size != 0 && count <= (total - offset) / size;
}

base::Error inconsistent(const std::string& path) {
  return {"the statistics segment is inconsistent", path, "restart brink-edge"};
}

// The file as it is, mapped: slots are given to others while they are read, and the order in which
// a reader looks matters.
class Mapping {
 public:
  explicit Mapping(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || status.st_size <= 0) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) bytes_ = {static_cast<const std::uint8_t*>(map), size};
  }
  ~Mapping() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
};

LatencySample read_latency(const std::uint8_t* at) {
  LatencySample sample;
  sample.counts.resize(base::LogLinear::kBuckets);
  std::memcpy(&sample.max_ns, at, sizeof sample.max_ns);
  std::memcpy(sample.counts.data(), at + sizeof sample.max_ns,
              sample.counts.size() * sizeof(std::uint64_t));
  return sample;
}

// A seqlock's reader (TrafficTable has the writer). A slot that changes hands all the time is left
// out, which no worker gives cause for.
bool copy_slot(const TrafficSlot& shared, TrafficSlot& copy) {
  constexpr int kAttempts = 100;
  const std::atomic_ref<std::uint64_t> sequence(const_cast<std::uint64_t&>(shared.sequence));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint64_t before = sequence.load(std::memory_order_acquire);
    std::memcpy(static_cast<void*>(&copy), &shared, sizeof copy);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && sequence.load(std::memory_order_relaxed) == before) return true;
  }
  return false;
}

std::vector<TrafficSample> read_traffic(const std::uint8_t* at, std::size_t slots,
                                        std::size_t counters) {
  std::vector<TrafficSample> samples;
  TrafficSlot copy;
  for (std::size_t i = 0; i < slots; ++i) {
    const auto& shared = *reinterpret_cast<const TrafficSlot*>(at + i * sizeof(TrafficSlot));
    const bool is_other = i == 0;
    if ((!is_other && shared.name_size == 0) || !copy_slot(shared, copy)) continue;
    samples.push_back({std::string(copy.name, copy.name_size),
                       {copy.counters, copy.counters + counters},
                       copy.time_sum_us,
                       {std::begin(copy.times), std::end(copy.times)}});
  }
  return samples;
}

void write_name(std::uint8_t* at, std::string_view name) {
  std::memcpy(at, name.data(), std::min(name.size(), kCounterNameSize));
}

bool has_traffic_of_its_own(const StatsHeader& h, std::uint64_t total) {
  const std::uint64_t slots = std::uint64_t{h.zone_slots} + h.origin_slots;
  return h.traffic_stride_bytes == sizeof(TrafficSlot) &&
         h.traffic_buckets == TrafficScale::kBuckets &&
         h.zone_counter_count <= kTrafficCountersMax &&
         h.origin_counter_count <= kTrafficCountersMax &&
         h.traffic_offset % alignof(TrafficSlot) == 0 &&
         fits(h.traffic_offset, h.worker_count * slots, sizeof(TrafficSlot), total);
}

base::Result<StatsSample> parse(std::span<const std::uint8_t> bytes, const std::string& path) {
  StatsSample sample{};
  if (bytes.size() < sizeof(StatsHeader)) return inconsistent(path);
  std::memcpy(&sample.header, bytes.data(), sizeof sample.header);
  const StatsHeader& h = sample.header;
  if (h.magic != kStatsMagic) return base::Error{"not a statistics segment", path, ""};
  if (h.version != kStatsVersion) {
    return base::Error{"statistics layout version " + std::to_string(h.version), path,
                       "use programs of the same release"};
  }
  const std::uint64_t total = bytes.size();
  const std::size_t fixed = offsetof(WorkerStats, counters);
  const std::uint64_t latency_size = sizeof(std::uint64_t) * (1 + std::uint64_t{h.latency_buckets});
  const std::uint64_t names = std::uint64_t{h.counter_count} + h.latency_count +
                              h.zone_counter_count + h.origin_counter_count;
  if (!fits(h.names_offset, names, kCounterNameSize, total) ||
      !fits(h.workers_offset, h.worker_count, h.worker_stride_bytes, total) ||
      !fits(h.ports_offset, h.port_count, sizeof(PortStats), total) ||
      h.worker_stride_bytes < fixed ||
      (h.worker_stride_bytes - fixed) / sizeof(std::uint64_t) < h.counter_count ||
      h.latency_buckets != base::LogLinear::kBuckets || h.latency_stride_bytes < latency_size ||
      !fits(h.latency_offset_bytes, h.latency_count, h.latency_stride_bytes,
            h.worker_stride_bytes) ||
      !has_traffic_of_its_own(h, total)) {
    return inconsistent(path);
  }
  const auto* name = reinterpret_cast<const char*>(bytes.data()) + h.names_offset;
  const auto take_names = [&name](std::vector<std::string>& out, std::uint32_t count) {
    for (; count > 0; --count, name += kCounterNameSize) {
      out.emplace_back(name, ::strnlen(name, kCounterNameSize));
    }
  };
  take_names(sample.names, h.counter_count);
  take_names(sample.latency_names, h.latency_count);
  take_names(sample.zone_names, h.zone_counter_count);
  take_names(sample.origin_names, h.origin_counter_count);
  for (std::uint32_t i = 0; i < h.worker_count; ++i) {
    const std::uint8_t* at =
        bytes.data() + h.workers_offset + std::size_t{i} * h.worker_stride_bytes;
    WorkerStats raw;
    std::memcpy(static_cast<void*>(&raw), at, fixed);
    WorkerSample worker{raw.worker,
                        raw.cpu,
                        raw.numa_node,
                        raw.roles,
                        raw.busy_cycles,
                        raw.idle_cycles,
                        raw.iterations,
                        raw.sleeps,
                        raw.tcp_connections,
                        {},
                        {},
                        {},
                        {}};
    worker.counters.resize(h.counter_count);
    std::memcpy(worker.counters.data(), at + fixed, h.counter_count * sizeof(std::uint64_t));
    for (std::uint32_t j = 0; j < h.latency_count; ++j) {
      worker.latencies.push_back(
          read_latency(at + h.latency_offset_bytes + std::size_t{j} * h.latency_stride_bytes));
    }
    const std::uint8_t* traffic =
        bytes.data() + h.traffic_offset +
        i * (std::size_t{h.zone_slots} + h.origin_slots) * sizeof(TrafficSlot);
    worker.zones = read_traffic(traffic, h.zone_slots, h.zone_counter_count);
    traffic += h.zone_slots * sizeof(TrafficSlot);
    worker.origins = read_traffic(traffic, h.origin_slots, h.origin_counter_count);
    sample.workers.push_back(std::move(worker));
  }
  sample.ports.resize(h.port_count);
  if (h.port_count > 0) {
    std::memcpy(static_cast<void*>(sample.ports.data()), bytes.data() + h.ports_offset,
                h.port_count * sizeof(PortStats));
  }
  return sample;
}

}  // namespace

base::Result<std::unique_ptr<StatsSegment>> StatsSegment::create(const std::string& path,
                                                                 std::uint32_t workers,
                                                                 std::uint32_t ports,
                                                                 TrafficSlots traffic) {
  const std::size_t names = sizeof(StatsHeader);
  const std::size_t name_count = kCounterCount + kLatencyKinds + std::size(kZoneCounterInfo) +
                                 std::size(kOriginCounterInfo);
  const std::size_t workers_at = (names + name_count * kCounterNameSize + 63) / 64 * 64;
  const std::size_t ports_at = workers_at + workers * sizeof(WorkerStats);
  const std::size_t traffic_at = ports_at + ports * sizeof(PortStats);
  const std::uint32_t zone_slots = traffic.zones == 0 ? 0 : traffic.zones + 1;
  const std::uint32_t origin_slots = traffic.origins == 0 ? 0 : traffic.origins + 1;
  const std::size_t total =
      traffic_at + std::size_t{workers} * (zone_slots + origin_slots) * sizeof(TrafficSlot);

  // A reader may still map the old file: replace it by name, never truncate it under the reader.
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("cannot create", fresh, "make the directory writable");
  if (::ftruncate(fd, static_cast<off_t>(total)) != 0) {
    base::Error error = system_error("cannot size", fresh, "free space on that file system");
    ::close(fd);
    ::unlink(fresh.c_str());
    return error;
  }
  void* map = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  ::close(fd);
  if (map == MAP_FAILED) {
    base::Error error = system_error("cannot map", fresh, "add memory");
    ::unlink(fresh.c_str());
    return error;
  }

  auto* bytes = static_cast<std::uint8_t*>(map);
  std::uint8_t* name_at = bytes + names;
  for (const CounterInfo& counter : kCounterInfo) {
    write_name(std::exchange(name_at, name_at + kCounterNameSize), counter.name);
  }
  for (const std::string_view name : kLatencyNames) {
    write_name(std::exchange(name_at, name_at + kCounterNameSize), name);
  }
  for (const CounterInfo& counter : kZoneCounterInfo) {
    write_name(std::exchange(name_at, name_at + kCounterNameSize), counter.name);
  }
  for (const CounterInfo& counter : kOriginCounterInfo) {
    write_name(std::exchange(name_at, name_at + kCounterNameSize), counter.name);
  }
  std::unique_ptr<StatsSegment> segment(new StatsSegment);
  segment->header_ = new (bytes) StatsHeader{};
  segment->workers_ = reinterpret_cast<WorkerStats*>(bytes + workers_at);
  for (std::uint32_t i = 0; i < workers; ++i) {
    new (&segment->workers_[i]) WorkerStats{};
    segment->workers_[i].worker = i;
  }
  segment->ports_ = reinterpret_cast<PortStats*>(bytes + ports_at);
  for (std::uint32_t i = 0; i < ports; ++i) new (&segment->ports_[i]) PortStats{};
  // Zeroed, as a new file is.
  segment->traffic_ = reinterpret_cast<TrafficSlot*>(bytes + traffic_at);

  StatsHeader& h = *segment->header_;
  h.version = kStatsVersion;
  h.counter_count = static_cast<std::uint32_t>(kCounterCount);
  h.worker_count = workers;
  h.port_count = ports;
  h.worker_stride_bytes = sizeof(WorkerStats);
  h.process_id = static_cast<std::uint32_t>(::getpid());
  h.names_offset = names;
  h.workers_offset = workers_at;
  h.ports_offset = ports_at;
  h.latency_count = static_cast<std::uint32_t>(kLatencyKinds);
  h.latency_buckets = static_cast<std::uint32_t>(base::LogLinear::kBuckets);
  h.latency_offset_bytes = static_cast<std::uint32_t>(offsetof(WorkerStats, latency));
  h.latency_stride_bytes = sizeof(LatencyHistogram);
  h.traffic_offset = traffic_at;
  h.traffic_stride_bytes = sizeof(TrafficSlot);
  h.traffic_buckets = static_cast<std::uint32_t>(TrafficScale::kBuckets);
  h.zone_slots = zone_slots;
  h.origin_slots = origin_slots;
  h.zone_counter_count = static_cast<std::uint32_t>(std::size(kZoneCounterInfo));
  h.origin_counter_count = static_cast<std::uint32_t>(std::size(kOriginCounterInfo));
  h.total_size_bytes = total;
  h.magic = kStatsMagic;
  // Whole before it has its name: whoever can open it can read it.
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    base::Error error = system_error("cannot rename", fresh, "make the directory writable");
    ::unlink(fresh.c_str());
    return error;
  }
  segment->path_ = path;
  return segment;
}

StatsSegment::~StatsSegment() {
  if (header_ == nullptr) return;
  if (!path_.empty()) ::unlink(path_.c_str());
  ::munmap(header_, header_->total_size_bytes);
}

base::Result<StatsSample> read_stats(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open", path, "start brink-edge");
  const Mapping mapping(fd);
  ::close(fd);
  return parse(mapping.bytes(), path);
}

}  // namespace brink::ipc
