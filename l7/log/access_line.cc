#include "l7/log/access_line.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace brink::l7::log {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// RFC 3339 with microseconds.
std::string timestamp(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / kNsPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text;
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<int>(unix_ns % kNsPerSecond / 1000));
  return {text.data(), static_cast<std::size_t>(size)};
}

const char* name_of(http::Version version) {
  switch (version) {
    case http::Version::http_1_0:
      return "HTTP/1.0";
    case http::Version::http_1_1:
      return "HTTP/1.1";
    case http::Version::http_2:
      return "HTTP/2";
    case http::Version::http_3:
      return "HTTP/3";
  }
  return "";
}

std::string text_of(const base::IpAddress& address) {
  return std::string(address.text().view());
}

double milliseconds(std::uint32_t us) {
  return us / 1000.0;
}

}  // namespace

void append_line(std::string& out, const EntryView& view, const Origin& origin) {
  const Entry& entry = view.entry;
  nlohmann::ordered_json line;
  const auto text = [&](const char* key, Text which) {
    if (!view.text(which).empty()) line[key] = view.text(which);
  };
  const auto flag = [&](const char* key, EntryFlags bit) {
    if ((entry.flags & bit) != 0) line[key] = true;
  };
  line["ts"] = timestamp(entry.unix_ns);
  line["ray"] = std::string_view(entry.ray.data(), entry.ray.size());
  line["client_ip"] = text_of(entry.client);
  line["client_port"] = entry.client_port;
  line["edge_port"] = entry.edge_port;
  text("zone", Text::zone);
  text("host", Text::host);
  text("method", Text::method);
  text("target", Text::target);
  line["protocol"] = name_of(entry.version);
  line["status"] = entry.status;
  if (entry.error_type != 0) line["error_type"] = entry.error_type;
  line["request_bytes"] = entry.request_bytes;
  line["response_bytes"] = entry.response_bytes;
  line["duration_ms"] = milliseconds(entry.duration_us);
  if (entry.origin_port != 0) {
    line["origin_ip"] = text_of(entry.origin);
    line["origin_port"] = entry.origin_port;
    if (entry.origin_status != 0) line["origin_status"] = entry.origin_status;
    if (entry.connect_us != 0) line["origin_connect_ms"] = milliseconds(entry.connect_us);
    if (entry.first_byte_us != 0) line["origin_first_byte_ms"] = milliseconds(entry.first_byte_us);
    flag("origin_reused", kOriginReused);
    if (entry.retries != 0) line["origin_retries"] = entry.retries;
  }
  flag("aborted", kAborted);
  flag("truncated", kTruncated);
  text("referer", Text::referer);
  text("user_agent", Text::user_agent);
  flag("text_cut", kTextCut);
  line["node"] = origin.node;
  line["colo"] = origin.colo;
  line["worker"] = origin.worker;
  out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  out += '\n';
}

}  // namespace brink::l7::log
