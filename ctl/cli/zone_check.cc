#include "ctl/cli/zone_check.h"

#include <algorithm>
#include <chrono>

#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/traffic.h"
#include "ctl/model/zone.h"
#include "dns/dnssec/signed_zone_check.h"
#include "dns/zone/text.h"
#include "dns/zone/zone_check.h"
#include "dns/zone/zone_file.h"

namespace brink::ctl::cli {
namespace {

using dns::zone::CheckedRecord;
using dns::zone::Finding;
using dns::zone::Findings;
using dns::zone::Severity;
using dns::zone::Wire;

constexpr std::uint32_t kDefaultTtl = 3600;  // where a file has none
constexpr std::string_view kFirewallPhase = "http_request_firewall_custom";

struct Checked {
  std::string name;
  std::size_t records = 0;
  bool is_signed = false;
  Findings findings;
};

std::uint32_t seconds_now() {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

// The line of the record that a finding about signatures is about, or of another one of its name.
void add_lines(Findings& findings, const std::vector<CheckedRecord>& records) {
  for (Finding& finding : findings) {
    for (const CheckedRecord& record : records) {
      if (dns::zone::lower_name(record.record.owner) != finding.owner) continue;
      if (finding.line == 0 || record.record.type == finding.type) finding.line = record.line;
      if (record.record.type == finding.type) break;
    }
  }
}

// `source` names the text in messages.
Checked check_text(const std::string& text, const std::string& name, const std::string& source) {
  const auto zone = model::zone_name(name);
  if (!zone) {
    throw Stop(Exit::kUsage,
               source + ": \"" + name +
                   "\" is no zone's name; begin the file with $ORIGIN, or say --zone");
  }
  const auto octets = zone.value().wire();
  const Wire apex(reinterpret_cast<const char*>(octets.data()), octets.size());
  std::vector<CheckedRecord> records;
  const auto parsed = dns::zone::parse_zone_file(text, apex, kDefaultTtl,
                                                 [&](const dns::zone::ZoneFileRecord& line) {
                                                   records.push_back({line.record, line.line});
                                                   return base::Result<void>();
                                                 });
  if (!parsed) throw Stop(Exit::kRefused, source + ", " + parsed.error().message());

  Checked checked{zone.value().text(), records.size(), false, dns::zone::check_zone(apex, records)};
  std::vector<dns::zone::ResourceRecord> bare;
  bare.reserve(records.size());
  for (const CheckedRecord& record : records) bare.push_back(record.record);
  // Where this fails, check_zone has said why.
  const auto built = dns::zone::Zone::build(apex, bare);
  if (!built || !dns::dnssec::is_signed_zone(built.value())) return checked;
  checked.is_signed = true;
  Findings more = dns::dnssec::check_signed_zone(built.value(), {.now = seconds_now()});
  add_lines(more, records);
  checked.findings.insert(checked.findings.end(), more.begin(), more.end());
  return checked;
}

// Rules of the zone that were fine when they were stored and have no effect any more, as the API
// tells who looks at them. One that should block is an error.
void add_rules(Session& session, const Json& zone, Findings& findings) {
  const std::string path = zone_path(zone) + "/rulesets";
  for (const Json& ruleset : session.call("GET", path)) {
    const std::string phase = text_of(ruleset, "phase");
    const Response shown = session.call_raw("GET", path + "/phases/" + phase + "/entrypoint");
    for (const Json& message : shown.envelope["messages"]) {
      Finding finding;
      finding.severity = phase == kFirewallPhase ? Severity::kError : Severity::kWarning;
      finding.owner = dns::zone::name_from_text(text_of(zone, "name") + ".").value();
      finding.what = phase + ": " + message.value("message", "");
      finding.remedy = "mend or delete the rule";
      findings.push_back(std::move(finding));
    }
  }
}

std::string line_of(const Finding& finding, bool with_line) {
  std::string text = finding.severity == Severity::kError ? "error    " : "warning  ";
  if (with_line && finding.line != 0) text += "line " + std::to_string(finding.line) + ", ";
  text += dns::zone::name_to_text(finding.owner);
  if (finding.type != 0) text += " " + dns::zone::type_to_text(finding.type);
  return text + ": " + finding.what + "; " + finding.remedy + "\n";
}

Json json_of(const Checked& checked, bool with_line) {
  Json findings = Json::array();
  for (const Finding& finding : checked.findings) {
    Json json = {{"severity", finding.severity == Severity::kError ? "error" : "warning"},
                 {"name", dns::zone::name_to_text(finding.owner)},
                 {"type", dns::zone::type_to_text(finding.type)},
                 {"what", finding.what},
                 {"remedy", finding.remedy}};
    if (with_line) json["line"] = finding.line;
    findings.push_back(std::move(json));
  }
  return {{"zone", checked.name},
          {"records", checked.records},
          {"signed", checked.is_signed},
          {"findings", std::move(findings)}};
}

std::string setting_of(Session& session, const Json& zone, const char* name) {
  return text_of(session.call("GET", zone_path(zone) + "/settings/" + name), "value");
}

// What the zone's clients ran into, when its settings still lead there.
void add_redirect_loops(Session& session, const Json& zone, Checked& checked) {
  const std::uint64_t loops = redirect_loops_of(session, checked.name);
  if (loops == 0) return;
  Finding finding;
  finding.severity = Severity::kWarning;
  const auto octets = model::zone_name(checked.name).value().wire();
  finding.owner.assign(reinterpret_cast<const char*>(octets.data()), octets.size());
  const std::string count =
      std::to_string(loops) + " requests were redirected in circles since brink-edge counts: ";
  if (setting_of(session, zone, "ssl") == "flexible") {
    finding.what = count + "ssl is flexible, so the origin is asked over HTTP, and redirects to HTTPS";
    finding.remedy = "set ssl to full (brinkctl settings set " + checked.name +
                     " ssl full) if the origin has HTTPS, or end the redirect at the origin";
  } else if (setting_of(session, zone, "always_use_https") == "on") {
    finding.what = count + "always_use_https is on, and the origin redirects HTTPS to HTTP";
    finding.remedy = "end the redirect at the origin, or set always_use_https to off";
  } else {
    return;
  }
  checked.findings.push_back(std::move(finding));
}

}  // namespace

void check_zone(Session& session, const Arguments& arguments) {
  const bool is_file = arguments.has("file");
  if (is_file != arguments.positional.empty()) {
    throw Stop(Exit::kUsage, "name a zone, or a file with --file");
  }
  Checked checked;
  if (is_file) {
    const std::string path = arguments.get("file");
    const std::string text = read_file(path);
    checked = check_text(text, arguments.get("zone", zone_name_of(path, text)), path);
  } else {
    const Json zone = find_zone(session, arguments.positional[0]);
    const Response served =
        session.call_raw("GET", zone_path(zone) + "/dns_records/export?served=true");
    checked = check_text(served.text, text_of(zone, "name"), "zone " + text_of(zone, "name"));
    add_rules(session, zone, checked.findings);
    add_redirect_loops(session, zone, checked);
  }
  const auto errors =
      std::count_if(checked.findings.begin(), checked.findings.end(),
                    [](const Finding& finding) { return finding.severity == Severity::kError; });
  if (session.json()) {
    print_json(json_of(checked, is_file));
  } else {
    std::string text;
    for (const Finding& finding : checked.findings) text += line_of(finding, is_file);
    const auto warnings = checked.findings.size() - static_cast<std::size_t>(errors);
    print(text + "zone " + checked.name + ": " + std::to_string(checked.records) + " records, " +
          (checked.is_signed ? "signed" : "not signed") + ", " + std::to_string(errors) +
          " errors, " + std::to_string(warnings) + " warnings\n");
  }
  if (errors != 0) {
    throw Stop(Exit::kRefused, "zone " + checked.name + " is not as it should be");
  }
}

}  // namespace brink::ctl::cli
