// brinkctl status, stats, addresses, version.
#include "ctl/cli/output.h"
#include "ctl/cli/traffic.h"
#include "ctl/cli/version.h"

namespace brink::ctl::cli {
namespace {

void status(Session& session, const Arguments&) {
  const Json result = session.call("GET", "/brink/v1/status");
  if (session.json()) return print_json(result);
  const Json& store = result["store"];
  const Json& publication = result["publication"];
  const bool in_step = publication.value("in_step", false);
  print("brink-control  " + text_of(result, "version") + ", up " +
        duration_text(result.value("uptime_s", std::int64_t{0})) + "\nstore          " +
        text_of(store, "path") + ", " + text_of(store, "zones") + " zones, " +
        text_of(store, "records") + " records, version " + text_of(store, "version") +
        "\nbrink-edge     " +
        (publication.value("connected", false)
             ? "serves version " + text_of(publication, "served_version")
             : "not connected (" + text_of(publication, "edge_socket") + ")") +
        (in_step ? ", in step" : ", not in step") + "\n");
  const std::string problem = publication.value("problem", "");
  if (!problem.empty()) print("problem        " + problem + "\n");
}

std::string snapshot_line(const Json& snapshot) {
  return "version " + text_of(snapshot, "version") + ", published " +
         duration_text(snapshot.value("age_s", std::int64_t{0})) + " ago, " +
         text_of(snapshot, "names") + " names, " + text_of(snapshot, "size_bytes") + " bytes, " +
         text_of(snapshot, "swaps") + " swaps, " + text_of(snapshot, "refused") + " refused";
}

void print_workers(const Json& workers) {
  std::vector<Row> rows;
  for (const Json& worker : workers) {
    std::string roles;
    for (const Json& role : worker["roles"]) {
      roles += (roles.empty() ? "" : "+") + role.get<std::string>();
    }
    const std::uint64_t busy = worker.value("busy_cycles", std::uint64_t{0});
    const std::uint64_t idle = worker.value("idle_cycles", std::uint64_t{0});
    rows.push_back({text_of(worker, "worker"), text_of(worker, "cpu"), roles,
                    percent_text(busy, busy + idle), std::to_string(busy), std::to_string(idle),
                    text_of(worker, "tcp_connections")});
  }
  print(table({"WORKER", "CPU", "ROLES", "BUSY", "BUSY CYCLES", "IDLE CYCLES", "TCP"}, rows));
}

void print_ports(const Json& ports) {
  std::vector<Row> rows;
  for (const Json& port : ports) {
    rows.push_back({text_of(port, "name"), text_of(port, "driver"), text_of(port, "mac"),
                    port.value("link_up", false) ? "up" : "down", text_of(port, "queues"),
                    text_of(port, "rx_packets"), text_of(port, "tx_packets"),
                    text_of(port, "rx_missed"), text_of(port, "rx_errors")});
  }
  print(table({"PORT", "DRIVER", "MAC", "LINK", "QUEUES", "RX", "TX", "MISSED", "ERRORS"}, rows));
}

void print_counters(const Json& counters, bool with_zeros) {
  std::vector<Row> counted, dropped;
  for (const auto& [name, value] : counters.items()) {
    if (value == 0 && !with_zeros) continue;
    (name.starts_with("drop_") ? dropped : counted).push_back({name, value.dump()});
  }
  print(table({"COUNTER", "TOTAL"}, counted));
  print("\n" +
        (dropped.empty() ? std::string("no drops\n") : table({"DROP REASON", "PACKETS"}, dropped)));
}

// One of the views instead of the whole; false: none was asked for.
bool show_part(Session& session, const Arguments& arguments) {
  const bool zones = arguments.has("zones"), origins = arguments.has("origins"),
             prometheus = arguments.has("prometheus");
  if (zones + origins + prometheus == 0) return false;
  if (zones + origins + prometheus > 1) {
    throw Stop(Exit::kUsage, "--zones, --origins and --prometheus exclude each other");
  }
  if (prometheus) {
    print(session.call_raw("GET", "/brink/v1/stats/prometheus").text);
    return true;
  }
  const Json rows =
      session.call("GET", zones ? "/brink/v1/stats/zones" : "/brink/v1/stats/origins");
  if (session.json()) {
    print_json(rows);
  } else {
    print(zones ? zones_table(rows) : origins_table(rows));
  }
  return true;
}

void stats(Session& session, const Arguments& arguments) {
  if (show_part(session, arguments)) return;
  const Json result = session.call("GET", "/brink/v1/stats");
  if (session.json()) return print_json(result);
  print("brink-edge  process " + text_of(result, "process_id") + ", last heartbeat " +
        text_of(result, "heartbeat_age_ms") + " ms ago\nsnapshot    " +
        snapshot_line(result["snapshot"]) + "\n");
  const std::string fallbacks = result.value("fallbacks", "");
  if (!fallbacks.empty()) print("fallbacks   " + fallbacks + "\n");
  print("\n");
  print_workers(result["workers"]);
  print("\n");
  print_ports(result["ports"]);
  print("\n");
  const std::string latencies = latency_table(result);
  print(latencies.empty() ? "" : latencies + "\n");
  print_counters(result["counters"], arguments.has("all"));
}

void addresses(Session& session, const Arguments&) {
  const Json result = session.call("GET", "/client/v4/ips");
  if (session.json()) return print_json(result);
  for (const char* family : {"ipv4_cidrs", "ipv6_cidrs"}) {
    for (const Json& network : result[family]) print(network.get<std::string>() + "\n");
  }
}

void version(Session& session, const Arguments&) {
  if (session.json()) return print_json({{"version", kVersion}});
  print(std::string("brinkctl ") + kVersion + "\n");
}

}  // namespace

const std::vector<Command>& node_commands() {
  static const std::vector<Command> kCommands = {
      {"", "status", "", 0, 0, "Whether the node serves what is stored.", {}, status},
      {"",
       "stats",
       "",
       0,
       0,
       "Ports, workers, latencies, counters and drop reasons of brink-edge.\n"
       "With --zones or --origins what was counted of each of them since it began to be, the most "
       "requests\n"
       "first; times of zones are those of whole requests, of origins those until their response "
       "began.",
       {{"all", "", "counters that are zero as well"},
        {"zones", "", "by zone: requests, statuses, errors, octets, handshakes, times"},
        {"origins", "", "by origin: requests, statuses, connections, failures, retries, times"},
        {"prometheus", "", "everything in the text format of Prometheus"}},
       stats},
      {"",
       "addresses",
       "",
       0,
       0,
       "The networks from which the edge reaches origins, for their firewalls.",
       {},
       addresses},
      {"", "version", "", 0, 0, "The version of this program.", {}, version},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
