// What is said about the node itself: /client/v4/ips, and Brink's own
// /brink/v1/{status,stats,snapshot}.
#include <algorithm>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "dataplane/base/log_linear.h"
#include "dataplane/ipc/stats_segment.h"

namespace brink::ctl::api {
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;

Json address_list(const Settings& settings, bool v4) {
  Json list = Json::array();
  for (const auto& address : settings.rules.edge_addresses) {
    if (address.is_v4() != v4) continue;
    list.push_back(std::string(address.text().view()) + (v4 ? "/32" : "/128"));
  }
  return list;
}

// Another one when the addresses are others.
std::string etag_of(const Settings& settings) {
  std::string text;
  for (const auto& address : settings.rules.edge_addresses) {
    text += std::string(address.text().view()) + "\n";
  }
  const secret::Sha256 digest = secret::sha256(text);
  model::Id etag;
  std::copy_n(digest.begin(), etag.bytes.size(), etag.bytes.begin());
  return etag.hex();
}

Reply ips(Service& service, const Request&) {
  return answer(to_text({{"ipv4_cidrs", address_list(service.settings, true)},
                         {"ipv6_cidrs", address_list(service.settings, false)},
                         {"etag", etag_of(service.settings)}}));
}

Json publication_json(const Service& service) {
  const publish::PublisherStatus status = service.publication();
  return {{"edge_socket", service.settings.edge_socket},
          {"connected", status.connected},
          {"wanted_version", status.wanted_version},
          {"compiled_version", status.compiled_version},
          {"served_version", status.served_version},
          {"in_step", status.connected && status.served_version == status.wanted_version},
          {"image_size_bytes", status.image_size_bytes},
          {"compile_us", status.compile_us},
          {"publish_us", status.publish_us},
          {"published_unix_ms", status.published_unix_ms},
          {"images_published", status.images},
          {"transactions_published", status.transactions},
          {"problem", status.problem}};
}

Json store_json(const Service& service) {
  return {{"path", service.settings.store_path},
          {"version", service.store.version()},
          {"zones", service.store.zone_count()},
          {"records", service.store.record_count()}};
}

Reply status(Service& service, const Request&) {
  const model::Timestamp now = service.clock();
  return answer(to_text({{"program", "brink-control"},
                         {"version", service.settings.program_version},
                         {"started_on", service.started.rfc3339()},
                         {"uptime_s", (now.micros - service.started.micros) / 1'000'000},
                         {"store", store_json(service)},
                         {"publication", publication_json(service)}}));
}

std::string mac_text(const std::uint8_t (&mac)[6]) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
  return text;
}

std::string fixed_text(const char* text, std::size_t size) {
  return {text, ::strnlen(text, size)};
}

Json roles_json(std::uint32_t roles) {
  Json list = Json::array();
  if ((roles & ipc::kRoleDns) != 0) list.push_back("dns");
  if ((roles & ipc::kRoleL7) != 0) list.push_back("l7");
  return list;
}

Json counters_json(const ipc::StatsSample& sample, const std::vector<std::uint64_t>& values) {
  Json counters = Json::object();
  for (std::size_t i = 0; i < sample.names.size() && i < values.size(); ++i) {
    counters[sample.names[i]] = values[i];
  }
  return counters;
}

// Buckets that are empty are left out; each of the others by its largest value.
Json latency_json(const ipc::LatencySample& latency) {
  const base::Percentiles told = base::percentiles_of(latency.counts, latency.max_ns);
  Json buckets = Json::array();
  for (std::size_t i = 0; i < latency.counts.size(); ++i) {
    if (latency.counts[i] == 0) continue;
    buckets.push_back({base::LogLinear::upper_bound(i), latency.counts[i]});
  }
  return {{"count", told.count},  {"p50_ns", told.p50}, {"p90_ns", told.p90}, {"p99_ns", told.p99},
          {"p999_ns", told.p999}, {"max_ns", told.max}, {"buckets", buckets}};
}

Json latencies_json(const ipc::StatsSample& sample,
                    const std::vector<ipc::LatencySample>& latencies) {
  Json json = Json::object();
  for (std::size_t i = 0; i < sample.latency_names.size() && i < latencies.size(); ++i) {
    json[sample.latency_names[i]] = latency_json(latencies[i]);
  }
  return json;
}

void add_up(std::vector<ipc::LatencySample>& totals, const ipc::WorkerSample& worker) {
  totals.resize(worker.latencies.size());
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const ipc::LatencySample& one = worker.latencies[i];
    totals[i].max_ns = std::max(totals[i].max_ns, one.max_ns);
    totals[i].counts.resize(one.counts.size());
    for (std::size_t j = 0; j < one.counts.size(); ++j) totals[i].counts[j] += one.counts[j];
  }
}

Json worker_json(const ipc::StatsSample& sample, const ipc::WorkerSample& worker) {
  return {{"worker", worker.worker},
          {"cpu", worker.cpu},
          {"numa_node", worker.numa_node},
          {"roles", roles_json(worker.roles)},
          {"busy_cycles", worker.busy_cycles},
          {"idle_cycles", worker.idle_cycles},
          {"iterations", worker.iterations},
          {"sleeps", worker.sleeps},
          {"tcp_connections", worker.tcp_connections},
          {"latency", latencies_json(sample, worker.latencies)},
          {"counters", counters_json(sample, worker.counters)}};
}

Json port_json(const ipc::PortStats& port) {
  return {{"name", fixed_text(port.name, sizeof port.name)},
          {"driver", fixed_text(port.driver, sizeof port.driver)},
          {"mac", mac_text(port.mac)},
          {"link_up", port.link_up != 0},
          {"queues", port.queues},
          {"mtu", port.mtu},
          {"link_speed_mbps", port.link_speed_mbps},
          {"rx_packets", port.rx_packets},
          {"rx_bytes", port.rx_bytes},
          {"rx_missed", port.rx_missed},
          {"rx_errors", port.rx_errors},
          {"rx_no_mbuf", port.rx_no_mbuf},
          {"tx_packets", port.tx_packets},
          {"tx_bytes", port.tx_bytes},
          {"tx_errors", port.tx_errors}};
}

Json bits_of(std::uint64_t bits) {
  Json numbers = Json::array();
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((bits >> bit & 1) != 0) numbers.push_back(bit);
  }
  return numbers;
}

Json snapshot_json(const Service& service, const ipc::StatsHeader& header) {
  const auto published_ms =
      static_cast<std::int64_t>(header.snapshot_published_unix_ns) / kNanosPerMilli;
  const std::int64_t now_ms = service.clock().micros / 1000;
  return {{"version", header.snapshot_version},
          {"published_unix_ms", published_ms},
          {"age_s", published_ms == 0 ? 0 : (now_ms - published_ms) / 1000},
          {"zones", header.snapshot_zones},
          {"names", header.snapshot_names},
          {"size_bytes", header.snapshot_size_bytes},
          {"memory_limit_bytes", header.snapshot_memory_limit_bytes == ~std::uint64_t{0}
                                     ? Json(nullptr)
                                     : Json(header.snapshot_memory_limit_bytes)},
          {"records", header.snapshot_records},
          {"records_free", header.snapshot_records_free},
          {"heap_bytes", header.snapshot_heap_bytes},
          {"heap_free_bytes", header.snapshot_heap_free_bytes},
          {"log_bytes", header.snapshot_log_bytes},
          {"swaps", header.snapshot_swaps},
          {"transactions", header.snapshot_transactions},
          {"compactions", header.snapshot_compactions},
          {"refused", header.snapshot_refused},
          {"waiting", header.snapshot_waiting},
          {"waiting_ms", header.snapshot_waiting_ns / 1'000'000},
          {"waiting_workers", bits_of(header.snapshot_waiting_workers)},
          {"visible_us", header.snapshot_visible_ns / 1'000},
          {"visible_max_us", header.snapshot_visible_max_ns / 1'000}};
}

std::int64_t heartbeat_age_ms(const Service& service, const ipc::StatsHeader& header) {
  const auto heartbeat_ms = static_cast<std::int64_t>(header.heartbeat_unix_ns) / kNanosPerMilli;
  return service.clock().micros / 1000 - heartbeat_ms;
}

Reply stats(Service& service, const Request&) {
  const auto read = ipc::read_stats(service.settings.stats_path);
  if (!read) return no_statistics(read.error());
  const ipc::StatsSample& sample = read.value();
  std::vector<std::uint64_t> totals(sample.names.size());
  std::vector<ipc::LatencySample> latencies;
  Json workers = Json::array();
  for (const auto& worker : sample.workers) {
    add_up(latencies, worker);
    for (std::size_t i = 0; i < totals.size() && i < worker.counters.size(); ++i) {
      totals[i] += worker.counters[i];
    }
    workers.push_back(worker_json(sample, worker));
  }
  Json ports = Json::array();
  for (const auto& port : sample.ports) ports.push_back(port_json(port));
  return answer(
      to_text({{"process_id", sample.header.process_id},
               {"started_unix_ms",
                static_cast<std::int64_t>(sample.header.started_unix_ns) / kNanosPerMilli},
               {"heartbeat_age_ms", heartbeat_age_ms(service, sample.header)},
               {"tsc_hz", sample.header.tsc_hz},
               {"fallbacks", fixed_text(sample.header.fallbacks, sizeof sample.header.fallbacks)},
               {"snapshot", snapshot_json(service, sample.header)},
               {"ports", ports},
               {"workers", workers},
               {"latency", latencies_json(sample, latencies)},
               {"counters", counters_json(sample, totals)}}));
}

Reply snapshot(Service& service, const Request&) {
  Json result = {{"store", store_json(service)},
                 {"publication", publication_json(service)},
                 {"edge", nullptr}};
  Reply reply;
  const auto read = ipc::read_stats(service.settings.stats_path);
  if (read) {
    result["edge"] = snapshot_json(service, read.value().header);
    result["edge"]["heartbeat_age_ms"] = heartbeat_age_ms(service, read.value().header);
    result["edge"]["fallbacks"] =
        fixed_text(read.value().header.fallbacks, sizeof read.value().header.fallbacks);
  } else {
    reply.envelope.messages.push_back(
        {kCodeNoStatistics, "brink-edge's statistics cannot be read: " + read.error().message()});
  }
  reply.envelope.result = to_text(result);
  return reply;
}

}  // namespace

Reply no_statistics(const base::Error& error) {
  return refuse(
      {503, kCodeNoStatistics, "brink-edge's statistics cannot be read: " + error.message(), {}});
}

void add_node(Router& router, Service& service) {
  router.add("GET", "/client/v4/ips", Access::everybody(), bound(service, ips));
  router.add("GET", "/brink/v1/status", identity::Permission::kNodeRead, bound(service, status));
  router.add("GET", "/brink/v1/stats", identity::Permission::kNodeRead, bound(service, stats));
  router.add("GET", "/brink/v1/snapshot", identity::Permission::kNodeRead,
             bound(service, snapshot));
}

}  // namespace brink::ctl::api
