#include "ctl/cli/rates.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "ctl/cli/output.h"
#include "dataplane/base/log_linear.h"

namespace brink::ctl::cli {
namespace {

struct Rate {
  const char* name;  // in the result
  const char* counter;
  const char* head;  // for people
};

constexpr Rate kRates[] = {
    {"rx_packets", "rx_packets", "packets in"},
    {"tx_packets", "tx_packets", "packets out"},
    {"rx_bytes", "rx_bytes", "bytes in"},
    {"tx_bytes", "tx_bytes", "bytes out"},
    {"queries", "dns_queries", "DNS queries"},
    {"answers", "dns_answers", "DNS answers"},
    {"nxdomain", "dns_nxdomain", "of them NXDOMAIN"},
    {"servfail", "dns_servfail", "of them SERVFAIL"},
    {"refused", "dns_refused", "of them REFUSED"},
    {"connections", "tcp_accepted", "TCP connections"},
    {"requests", "http_requests", "HTTP requests"},
    {"responses", "http_responses", "HTTP responses"},
    {"edge_errors", "http_edge_errors", "error pages of ours"},
};

std::uint64_t count_of(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

// What was counted between two readings.
std::uint64_t growth(const Json& before, const Json& after, const std::string& name) {
  const std::uint64_t then = count_of(before, name), now = count_of(after, name);
  return now >= then ? now - then : now;
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? std::round(10 * static_cast<double>(count) / seconds) / 10 : 0;
}

const Json& counters_of(const Json& object) {
  static const Json kNone = Json::object();
  const auto found = object.find("counters");
  return found == object.end() ? kNone : *found;
}

Json drops_of(const Json& before, const Json& after, double seconds) {
  std::vector<Json> drops;
  for (const auto& [name, value] : counters_of(after).items()) {
    if (!name.starts_with("drop_") || value == 0) continue;
    drops.push_back(
        {{"reason", name},
         {"rate", per_second(growth(counters_of(before), counters_of(after), name), seconds)},
         {"total", value}});
  }
  std::stable_sort(drops.begin(), drops.end(), [](const Json& a, const Json& b) {
    return a["rate"].get<double>() > b["rate"].get<double>();
  });
  return drops;
}

// Durations counted between two readings, by name. Their largest is known to its bucket only.
Json latency_of(const Json& before, const Json& after) {
  using base::LogLinear;
  static const Json kNone = Json::object();
  const auto member = [](const Json& object, const char* name) -> const Json& {
    const auto found = object.find(name);
    return found == object.end() ? kNone : *found;
  };
  Json result = Json::object();
  for (const auto& [kind, now] : member(after, "latency").items()) {
    std::vector<std::uint64_t> counts(LogLinear::kBuckets);
    for (const Json& bucket : member(now, "buckets")) {
      counts[LogLinear::bucket_of(bucket[0].get<std::uint64_t>())] = bucket[1].get<std::uint64_t>();
    }
    for (const Json& bucket : member(member(member(before, "latency"), kind.c_str()), "buckets")) {
      std::uint64_t& count = counts[LogLinear::bucket_of(bucket[0].get<std::uint64_t>())];
      count -= std::min(count, bucket[1].get<std::uint64_t>());
    }
    const base::Percentiles told = base::percentiles_of(counts);
    result[kind] = {{"count", told.count}, {"p50_ns", told.p50},   {"p90_ns", told.p90},
                    {"p99_ns", told.p99},  {"p999_ns", told.p999}, {"max_ns", told.max}};
  }
  return result;
}

Json worker_of(const Json& before, const Json& after, double seconds) {
  const std::uint64_t busy = growth(before, after, "busy_cycles");
  const std::uint64_t idle = growth(before, after, "idle_cycles");
  const auto rate = [&](const char* counter) {
    return per_second(growth(counters_of(before), counters_of(after), counter), seconds);
  };
  const std::uint64_t packets = growth(counters_of(before), counters_of(after), "rx_packets");
  const double whole = static_cast<double>(busy + idle);
  Json json = {
      {"worker", after.value("worker", Json())},
      {"cpu", after.value("cpu", Json())},
      {"roles", after.value("roles", Json::array())},
      {"busy_percent", whole == 0 ? 0 : std::round(1000 * static_cast<double>(busy) / whole) / 10},
      {"cycles_per_packet", nullptr},
      {"rx_packets", rate("rx_packets")},
      {"tx_packets", rate("tx_packets")},
      {"queries", rate("dns_queries")},
      {"requests", rate("http_requests")},
      {"tcp_connections", after.value("tcp_connections", Json())},
      {"latency", latency_of(before, after)}};
  if (packets != 0) {
    json["cycles_per_packet"] =
        std::round(static_cast<double>(busy) / static_cast<double>(packets));
  }
  return json;
}

Json worker_named(const Json& stats, const Json& number) {
  for (const Json& worker : stats.value("workers", Json::array())) {
    if (worker.value("worker", Json()) == number) return worker;
  }
  return Json::object();
}

// 999, 12.3k, 4.56M
std::string short_number(double value) {
  const char* unit = "";
  for (const char* larger : {"k", "M", "G"}) {
    if (value < 10000) break;
    value /= 1000;
    unit = larger;
  }
  char text[32];
  std::snprintf(text, sizeof text, value < 100 ? "%.1f%s" : "%.0f%s", value, unit);
  return text;
}

std::string rate_text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? "-" : short_number(found->get<double>());
}

std::string head_text(const Json& rates) {
  const Json& snapshot = rates["snapshot"];
  std::string text = "brink-edge  process " + text_of(rates, "process_id") + ", last heartbeat " +
                     text_of(rates, "heartbeat_age_ms") + " ms ago\nsnapshot    version " +
                     text_of(snapshot, "version") + ", published " +
                     duration_text(snapshot.value("age_s", std::int64_t{0})) + " ago, " +
                     text_of(snapshot, "names") + " names\n";
  if (rates.value("restarted", false)) text += "attention   brink-edge has started anew\n";
  return text + "\n";
}

std::string totals_text(const Json& rates) {
  const Json& totals = rates["rates"];
  std::vector<Row> rows;
  constexpr std::size_t kColumns = 2;
  for (std::size_t i = 0; i < std::size(kRates); i += kColumns) {
    Row row;
    for (std::size_t j = i; j < i + kColumns && j < std::size(kRates); ++j) {
      row.push_back(kRates[j].head);
      row.push_back(rate_text(totals, kRates[j].name));
    }
    rows.push_back(std::move(row));
  }
  return table({"A SECOND", "", "", ""}, rows) + "\n";
}

std::string workers_text(const Json& workers) {
  std::vector<Row> rows;
  for (const Json& worker : workers) {
    std::string roles;
    for (const Json& role : worker["roles"]) {
      roles += (roles.empty() ? "" : "+") + role.get<std::string>();
    }
    char busy[16];
    std::snprintf(busy, sizeof busy, "%.1f%%", worker.value("busy_percent", 0.0));
    rows.push_back({text_of(worker, "worker"), text_of(worker, "cpu"), roles, busy,
                    rate_text(worker, "cycles_per_packet"), rate_text(worker, "rx_packets"),
                    rate_text(worker, "tx_packets"), rate_text(worker, "queries"),
                    rate_text(worker, "requests"), text_of(worker, "tcp_connections")});
  }
  return table({"WORKER", "CPU", "ROLES", "BUSY", "CYCLES/PACKET", "IN/S", "OUT/S", "QUERIES/S",
                "REQUESTS/S", "TCP"},
               rows) +
         "\n";
}

std::string drops_text(const Json& drops) {
  if (drops.empty()) return "no drops\n";
  std::vector<Row> rows;
  for (const Json& drop : drops) {
    rows.push_back({text_of(drop, "reason"), rate_text(drop, "rate"), text_of(drop, "total")});
  }
  return table({"DROP REASON", "A SECOND", "TOTAL"}, rows);
}

}  // namespace

Json rates_of(const Json& before, const Json& after, double seconds) {
  static const Json kNothing = Json::object();
  const auto start = [](const Json& stats) {
    return std::pair(stats.value("process_id", Json()), stats.value("started_unix_ms", Json()));
  };
  const bool restarted = start(before) != start(after);
  const Json& then = restarted ? kNothing : before;
  Json totals = Json::object();
  for (const Rate& rate : kRates) {
    totals[rate.name] =
        per_second(growth(counters_of(then), counters_of(after), rate.counter), seconds);
  }
  Json workers = Json::array();
  for (const Json& worker : after.value("workers", Json::array())) {
    workers.push_back(
        worker_of(worker_named(then, worker.value("worker", Json())), worker, seconds));
  }
  return {{"seconds", seconds},
          {"process_id", after.value("process_id", Json())},
          {"restarted", restarted},
          {"heartbeat_age_ms", after.value("heartbeat_age_ms", Json())},
          {"snapshot", after.value("snapshot", Json::object())},
          {"rates", totals},
          {"workers", workers},
          {"latency", latency_of(then, after)},
          {"drops", drops_of(then, after, seconds)}};
}

std::string rates_text(const Json& rates) {
  const std::string latencies = latency_table(rates);
  return head_text(rates) + totals_text(rates) + workers_text(rates["workers"]) + latencies +
         (latencies.empty() ? "" : "\n") + drops_text(rates["drops"]);
}

std::string screen_text(const std::string& text, std::size_t width, std::size_t height) {
  std::istringstream lines(text);
  std::string out = "\x1b[H";
  std::string line;
  for (std::size_t i = 0; i < height && std::getline(lines, line); ++i) {
    out += (i == 0 ? "" : "\n") + line.substr(0, width) + "\x1b[K";
  }
  return out + "\x1b[J";
}

}  // namespace brink::ctl::cli
