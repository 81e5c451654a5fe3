#include "ctl/metrics/traffic.h"

#include <algorithm>
#include <map>

namespace brink::ctl::metrics {
namespace {

void add_to(std::vector<std::uint64_t>& sums, const std::vector<std::uint64_t>& more) {
  sums.resize(std::max(sums.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) sums[i] += more[i];
}

bool is_empty(const TrafficRow& row) {
  return std::all_of(row.counters.begin(), row.counters.end(),
                     [](std::uint64_t count) { return count == 0; });
}

}  // namespace

const std::vector<std::string>& counter_names(const ipc::StatsSample& sample, TrafficKind kind) {
  return kind == TrafficKind::kZones ? sample.zone_names : sample.origin_names;
}

std::vector<TrafficRow> add_up(const ipc::StatsSample& sample, TrafficKind kind) {
  std::map<std::string, TrafficRow> by_name;
  for (const ipc::WorkerSample& worker : sample.workers) {
    for (const auto& slot : kind == TrafficKind::kZones ? worker.zones : worker.origins) {
      TrafficRow& row = by_name[slot.name];
      add_to(row.counters, slot.counters);
      add_to(row.times, slot.times);
      row.time_sum_us += slot.time_sum_us;
    }
  }
  std::vector<TrafficRow> rows;
  for (auto& [name, row] : by_name) {
    if (name.empty() && is_empty(row)) continue;
    row.name = name.empty() ? kOther : name;
    rows.push_back(std::move(row));
  }
  const auto& names = counter_names(sample, kind);
  std::stable_sort(rows.begin(), rows.end(), [&names](const TrafficRow& a, const TrafficRow& b) {
    if ((a.name == kOther) != (b.name == kOther)) return b.name == kOther;
    return counter_of(a, names, "requests") > counter_of(b, names, "requests");
  });
  return rows;
}

std::uint64_t counter_of(const TrafficRow& row, const std::vector<std::string>& names,
                         std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  const auto index = static_cast<std::size_t>(found - names.begin());
  return index < row.counters.size() ? row.counters[index] : 0;
}

}  // namespace brink::ctl::metrics
