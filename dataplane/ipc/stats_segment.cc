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

bool read_whole(int fd, std::uint8_t* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, out + done, size - done, static_cast<off_t>(done));
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

LatencySample read_latency(const std::uint8_t* at) {
  LatencySample sample;
  sample.counts.resize(base::LogLinear::kBuckets);
  std::memcpy(&sample.max_ns, at, sizeof sample.max_ns);
  std::memcpy(sample.counts.data(), at + sizeof sample.max_ns,
              sample.counts.size() * sizeof(std::uint64_t));
  return sample;
}

void write_name(std::uint8_t* at, std::string_view name) {
  std::memcpy(at, name.data(), std::min(name.size(), kCounterNameSize));
}

base::Result<StatsSample> parse(const std::vector<std::uint8_t>& bytes, const std::string& path) {
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
  if (!fits(h.names_offset, std::uint64_t{h.counter_count} + h.latency_count, kCounterNameSize,
            total) ||
      !fits(h.workers_offset, h.worker_count, h.worker_stride_bytes, total) ||
      !fits(h.ports_offset, h.port_count, sizeof(PortStats), total) ||
      h.worker_stride_bytes < fixed ||
      (h.worker_stride_bytes - fixed) / sizeof(std::uint64_t) < h.counter_count ||
      h.latency_buckets != base::LogLinear::kBuckets || h.latency_stride_bytes < latency_size ||
      !fits(h.latency_offset_bytes, h.latency_count, h.latency_stride_bytes,
            h.worker_stride_bytes)) {
    return inconsistent(path);
  }
  for (std::uint32_t i = 0; i < h.counter_count + h.latency_count; ++i) {
    const char* name = reinterpret_cast<const char*>(bytes.data()) + h.names_offset +
                       std::size_t{i} * kCounterNameSize;
    auto& names = i < h.counter_count ? sample.names : sample.latency_names;
    names.emplace_back(name, ::strnlen(name, kCounterNameSize));
  }
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
                        {}};
    worker.counters.resize(h.counter_count);
    std::memcpy(worker.counters.data(), at + fixed, h.counter_count * sizeof(std::uint64_t));
    for (std::uint32_t j = 0; j < h.latency_count; ++j) {
      worker.latencies.push_back(
          read_latency(at + h.latency_offset_bytes + std::size_t{j} * h.latency_stride_bytes));
    }
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
                                                                 std::uint32_t ports) {
  const std::size_t names = sizeof(StatsHeader);
  const std::size_t workers_at =
      (names + (kCounterCount + kLatencyKinds) * kCounterNameSize + 63) / 64 * 64;
  const std::size_t ports_at = workers_at + workers * sizeof(WorkerStats);
  const std::size_t total = ports_at + ports * sizeof(PortStats);

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
  std::unique_ptr<StatsSegment> segment(new StatsSegment);
  segment->header_ = new (bytes) StatsHeader{};
  segment->workers_ = reinterpret_cast<WorkerStats*>(bytes + workers_at);
  for (std::uint32_t i = 0; i < workers; ++i) {
    new (&segment->workers_[i]) WorkerStats{};
    segment->workers_[i].worker = i;
  }
  segment->ports_ = reinterpret_cast<PortStats*>(bytes + ports_at);
  for (std::uint32_t i = 0; i < ports; ++i) new (&segment->ports_[i]) PortStats{};

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
  struct stat status {};
  std::vector<std::uint8_t> bytes;
  bool whole = ::fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size < (64 << 20);
  if (whole) {
    bytes.resize(static_cast<std::size_t>(status.st_size));
    whole = read_whole(fd, bytes.data(), bytes.size());
  }
  ::close(fd);
  if (!whole) return inconsistent(path);
  return parse(bytes, path);
}

}  // namespace brink::ipc
