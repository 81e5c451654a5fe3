// What the edge counted of zones and origins: /brink/v1/stats/{zones,origins}; and all of its
// statistics as Prometheus reads them: /brink/v1/stats/prometheus.
#include "ctl/metrics/traffic.h"
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "ctl/metrics/exposition.h"
#include "dataplane/base/log_linear.h"

namespace brink::ctl::api {
namespace {

using metrics::TrafficKind;
using metrics::TrafficRow;

Json times_json(const TrafficRow& row) {
  const base::Percentiles told = base::percentiles_of<ipc::TrafficScale>(row.times);
  return {{"count", told.count}, {"sum_us", row.time_sum_us}, {"p50_us", told.p50},
          {"p90_us", told.p90},  {"p99_us", told.p99},        {"p999_us", told.p999},
          {"max_us", told.max}};
}

Json row_json(const TrafficRow& row, const std::vector<std::string>& names) {
  Json counters = Json::object();
  for (std::size_t i = 0; i < names.size() && i < row.counters.size(); ++i) {
    counters[names[i]] = row.counters[i];
  }
  return {{"name", row.name == metrics::kOther ? Json(nullptr) : Json(row.name)},
          {"counters", std::move(counters)},
          {"time", times_json(row)}};
}

Reply traffic(Service& service, const Request& request, TrafficKind kind) {
  const auto read = ipc::read_stats(service.settings.stats_path);
  if (!read) return no_statistics(read.error());
  const auto& names = metrics::counter_names(read.value(), kind);
  const std::string* const wanted = request.query_value("name");
  Json rows = Json::array();
  for (const TrafficRow& row : metrics::add_up(read.value(), kind)) {
    if (wanted == nullptr || row.name == *wanted) rows.push_back(row_json(row, names));
  }
  return answer(to_text(rows));
}

Reply zones(Service& service, const Request& request) {
  return traffic(service, request, TrafficKind::kZones);
}

Reply origins(Service& service, const Request& request) {
  return traffic(service, request, TrafficKind::kOrigins);
}

Reply prometheus(Service& service, const Request&) {
  const auto read = ipc::read_stats(service.settings.stats_path);
  Reply reply;
  reply.text =
      metrics::exposition(read.ok() ? &read.value() : nullptr, metrics::Format::kPrometheus);
  return reply;
}

}  // namespace

void add_traffic(Router& router, Service& service) {
  using identity::Permission;
  router.add("GET", "/brink/v1/stats/zones", Permission::kNodeRead, bound(service, zones));
  router.add("GET", "/brink/v1/stats/origins", Permission::kNodeRead, bound(service, origins));
  router.add("GET", "/brink/v1/stats/prometheus", Permission::kNodeRead,
             bound(service, prometheus));
}

}  // namespace brink::ctl::api
