#include "ctl/cli/traffic.h"

#include "ctl/cli/input.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::uint64_t count_of(const Json& row, const char* name) {
  const auto counters = row.find("counters");
  return counters == row.end() ? 0 : counters->value(name, std::uint64_t{0});
}

std::string count_text(const Json& row, const char* name) {
  return std::to_string(count_of(row, name));
}

std::string name_of(const Json& row) {
  return row["name"].is_string() ? row["name"].get<std::string>() : "(other)";
}

void add_times(Row& cells, const Json& row) {
  const Json& time = row["time"];
  for (const char* name : {"p50_us", "p90_us", "p99_us", "max_us"}) {
    const bool told = time.value("count", std::uint64_t{0}) != 0;
    cells.push_back(told ? nanoseconds_text(time.value(name, std::uint64_t{0}) * 1000) : "-");
  }
}

}  // namespace

std::string zones_table(const Json& zones) {
  std::vector<Row> rows;
  for (const Json& zone : zones) {
    Row row = {name_of(zone)};
    for (const char* name : {"requests", "responses_2xx", "responses_3xx", "responses_4xx",
                             "responses_5xx", "edge_errors"}) {
      row.push_back(count_text(zone, name));
    }
    row.push_back(size_text(count_of(zone, "bytes_in")));
    row.push_back(size_text(count_of(zone, "bytes_out")));
    row.push_back(count_text(zone, "tls_handshakes"));
    add_times(row, zone);
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return "no requests for any zone yet\n";
  return table({"ZONE", "REQUESTS", "2XX", "3XX", "4XX", "5XX", "EDGE ERRORS", "IN", "OUT", "TLS",
                "P50", "P90", "P99", "MAX"},
               rows);
}

std::string origins_table(const Json& origins) {
  std::vector<Row> rows;
  for (const Json& origin : origins) {
    Row row = {name_of(origin)};
    for (const char* name :
         {"requests", "responses_2xx", "responses_3xx", "responses_4xx", "responses_5xx",
          "no_response", "connects", "connect_failures", "reused", "retries"}) {
      row.push_back(count_text(origin, name));
    }
    add_times(row, origin);
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return "no requests to any origin yet\n";
  return table({"ORIGIN", "REQUESTS", "2XX", "3XX", "4XX", "5XX", "NONE", "CONNECTS", "FAILED",
                "REUSED", "RETRIES", "P50", "P90", "P99", "MAX"},
               rows);
}

std::uint64_t redirect_loops_of(Session& session, const std::string& zone) {
  Json rows;
  try {
    rows = session.call("GET", "/brink/v1/stats/zones?name=" + percent_encode(zone));
  } catch (const Stop&) {
    return 0;
  }
  return rows.empty() ? 0 : count_of(rows[0], "redirect_loops");
}

}  // namespace brink::ctl::cli
