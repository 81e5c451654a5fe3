#include "ctl/cli/output.h"

#include <algorithm>
#include <cstdio>

namespace brink::ctl::cli {

std::string table(const Row& head, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : head) widths.push_back(cell.size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  };
  add(head);
  for (const Row& row : rows) add(row);
  return text;
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string duration_text(std::int64_t seconds) {
  const auto part = [](std::int64_t count, const char* unit) {
    return std::to_string(count) + unit;
  };
  if (seconds < 60) return part(seconds, "s");
  if (seconds < 3600) return part(seconds / 60, "m ") + part(seconds % 60, "s");
  if (seconds < 86400) return part(seconds / 3600, "h ") + part(seconds % 3600 / 60, "m");
  return part(seconds / 86400, "d ") + part(seconds % 86400 / 3600, "h");
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  const char* unit = "KiB";
  for (const char* larger : {"MiB", "GiB", "TiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = larger;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, unit);
  return text;
}

std::string nanoseconds_text(std::uint64_t nanoseconds) {
  if (nanoseconds < 1000) return std::to_string(nanoseconds) + " ns";
  double value = static_cast<double>(nanoseconds) / 1000;
  const char* unit = "us";
  for (const char* larger : {"ms", "s"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = larger;
  }
  char text[32];
  std::snprintf(text, sizeof text, value < 100 ? "%.1f %s" : "%.0f %s", value, unit);
  return text;
}

std::string latency_table(const Json& total) {
  std::vector<Row> rows;
  const auto add = [&rows](const Json& object, const std::string& whose) {
    const auto latency = object.find("latency");
    if (latency == object.end()) return;
    for (const auto& [kind, told] : latency->items()) {
      if (told.value("count", std::uint64_t{0}) == 0) continue;
      Row row = {kind, whose, text_of(told, "count")};
      for (const char* name : {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"}) {
        row.push_back(nanoseconds_text(told.value(name, std::uint64_t{0})));
      }
      rows.push_back(std::move(row));
    }
  };
  add(total, "all");
  const auto workers = total.find("workers");
  if (workers != total.end()) {
    for (const Json& worker : *workers) add(worker, text_of(worker, "worker"));
  }
  if (rows.empty()) return {};
  return table({"LATENCY", "WORKER", "ANSWERS", "P50", "P90", "P99", "P99.9", "MAX"}, rows);
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const Json& json) {
  print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace brink::ctl::cli
