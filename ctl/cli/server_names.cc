// Names for the completion of command lines. Nobody wants to read there what went wrong.
#include <unistd.h>

#include <csignal>
#include <set>

#include "ctl/cli/complete.h"
#include "ctl/cli/connection.h"
#include "ctl/cli/output.h"
#include "ctl/model/rdata.h"

namespace brink::ctl::cli {
namespace {

constexpr unsigned kPatienceSeconds = 2;
constexpr std::size_t kZonesMax = 10;  // that are searched for a record's name
constexpr std::size_t kAccountsMax = 10;
constexpr char kPage[] = "&per_page=200";

using Texts = std::vector<std::string>;

std::vector<Json> listed(const Client& client, const std::string& target) {
  const auto answer = client.call("GET", target);
  if (!answer || answer.value().status != 200) return {};
  const Json& result = answer.value().envelope["result"];
  return result.is_array() ? std::vector<Json>(result.begin(), result.end()) : std::vector<Json>();
}

Texts column(const std::vector<Json>& rows, const char* member, const std::string& start) {
  std::set<std::string> texts;
  for (const Json& row : rows) {
    const std::string text = text_of(row, member);
    if (text.starts_with(start)) texts.insert(text);
  }
  return {texts.begin(), texts.end()};
}

std::vector<Json> zones_that_start(const Client& client, const std::string& start) {
  const std::string filter = start.empty() ? "" : "&name=starts_with:" + percent_encode(start);
  return listed(client, "/client/v4/zones?order=name" + filter + kPage);
}

std::vector<Json> zone_named(const Client& client, const std::string& name) {
  return listed(client, "/client/v4/zones?name=" + percent_encode(name));
}

// In the zone of --zone, else in the first few.
Texts record_names(const Client& client, const std::string& start, const LineSoFar& line) {
  const auto zone = line.options.find("zone");
  const auto zones =
      zone == line.options.end() ? zones_that_start(client, "") : zone_named(client, zone->second);
  std::vector<Json> records;
  for (std::size_t i = 0; i < zones.size() && i < kZonesMax; ++i) {
    std::string target = "/client/v4/zones/" + text_of(zones[i], "id") + "/dns_records?order=name";
    if (!start.empty()) target += "&name.startswith=" + percent_encode(start);
    for (Json& record : listed(client, target + kPage)) records.push_back(std::move(record));
  }
  return column(records, "name", start);
}

// Of what the zone that the line begins with has there.
Texts ids_in_zone(const Client& client, const std::string& start, const LineSoFar& line,
                  const std::string& path) {
  if (line.positional.empty()) return {};
  const auto zones = zone_named(client, line.positional[0]);
  if (zones.empty()) return {};
  return column(listed(client, "/client/v4/zones/" + text_of(zones[0], "id") + path), "id", start);
}

Texts authority_names(const Client& client, const std::string& start) {
  std::vector<Json> authorities;
  const auto accounts = listed(client, "/client/v4/accounts");
  for (std::size_t i = 0; i < accounts.size() && i < kAccountsMax; ++i) {
    const std::string path =
        "/client/v4/accounts/" + text_of(accounts[i], "id") + "/mtls_certificates?type=custom";
    for (Json& each : listed(client, path + kPage)) {
      if (each.value("ca", false)) authorities.push_back(std::move(each));
    }
  }
  return column(authorities, "name", start);
}

Texts record_types(const std::string& start) {
  Texts types;
  for (unsigned type = 1; type < 65536; ++type) {
    const std::string text = model::type_to_text(static_cast<model::RecordType>(type));
    if (!text.starts_with("TYPE") && text.starts_with(start)) types.push_back(text);
  }
  return types;
}

Texts phases(const std::string& start) {
  Texts matching;
  for (const std::string phase : {"http_request_firewall_custom", "http_request_late_transform",
                                  "http_response_headers_transform"}) {
    if (phase.starts_with(start)) matching.push_back(phase);
  }
  return matching;
}

// Ends the program when an answer takes too long: the shell waits.
class Patience {
 public:
  Patience() {
    before_ = std::signal(SIGALRM, [](int) { ::_exit(0); });
    ::alarm(kPatienceSeconds);
  }
  ~Patience() {
    ::alarm(0);
    std::signal(SIGALRM, before_);
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace

Texts server_names(const std::string& kind, const std::string& start, const LineSoFar& line) {
  if (kind == "TYPE") return record_types(start);
  if (kind == "PHASE") return phases(start);
  const Patience patience;
  try {
    const Client client(connection_of(line.options));
    if (kind == "ZONE") return column(zones_that_start(client, start), "name", start);
    if (kind == "ACCOUNT") return column(listed(client, "/client/v4/accounts"), "name", start);
    if (kind == "SETTING") return ids_in_zone(client, start, line, "/settings");
    if (kind == "CA") return authority_names(client, start);
    const std::string noun = line.command == nullptr ? "" : line.command->noun;
    if (kind == "CERTIFICATE") {
      const char* path = noun == "certificate"          ? "/custom_certificates?per_page=200"
                         : noun == "client-certificate" ? "/client_certificates?per_page=200"
                         : line.options.contains("hosts")
                             ? "/origin_tls_client_auth/hostnames/certificates"
                             : "/origin_tls_client_auth";
      return ids_in_zone(client, start, line, path);
    }
    if (kind == "NAME" && (noun == "record" || noun == "snapshot"))
      return record_names(client, start, line);
  } catch (const Stop&) {
  }
  return {};
}

}  // namespace brink::ctl::cli
