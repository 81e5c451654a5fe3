// brinkctl log: who changed what.
#include <algorithm>

#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr std::uint64_t kLimit = 50, kPageMax = 1000;

std::uint64_t limit_of(const Arguments& arguments) {
  const std::string text = arguments.get("limit", std::to_string(kLimit));
  if (text.empty() || text.size() > 9 ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    throw Stop(Exit::kUsage, "--limit: \"" + text + "\" is not a number");
  }
  return std::stoull(text);
}

// The newest entries first, as many as wanted.
Json read_entries(Session& session, const std::string& target, std::uint64_t limit) {
  Json entries = Json::array();
  const std::uint64_t per_page = std::clamp<std::uint64_t>(limit, 1, kPageMax);
  for (std::uint64_t page = 1; entries.size() < limit; ++page) {
    const Json part = session.call(
        "GET", target + "&per_page=" + std::to_string(per_page) + "&page=" + std::to_string(page));
    for (const Json& entry : part) {
      if (entries.size() < limit) entries.push_back(entry);
    }
    if (part.size() < per_page) break;
  }
  return entries;
}

// What differs between two states of an object: "content: 203.0.113.1 -> 203.0.113.2".
std::string difference(const Json& entry) {
  const Json& before = entry["oldValueJson"];
  const Json& after = entry["newValueJson"];
  if (!before.is_object() || !after.is_object()) return "";
  std::string text;
  for (const auto& [name, value] : after.items()) {
    const auto old = before.find(name);
    if (name.ends_with("modified_on") || name == "serial") continue;
    if (old != before.end() && *old == value) continue;
    text += (text.empty() ? "" : ", ") + name + ": " +
            (old == before.end() ? "-" : text_of(before, name.c_str())) + " -> " +
            text_of(after, name.c_str());
  }
  return text;
}

void log(Session& session, const Arguments& arguments) {
  const std::uint64_t limit = limit_of(arguments);
  std::string target = "/brink/v1/audit_logs?direction=desc";
  if (arguments.has("account")) {
    target = "/client/v4/accounts/" + text_of(find_account(session, arguments), "id") +
             "/audit_logs?direction=desc";
  }
  if (arguments.has("zone")) target += "&zone.name=" + percent_encode(arguments.get("zone"));
  if (arguments.has("since")) target += "&since=" + percent_encode(arguments.get("since"));
  const Json entries = read_entries(session, target, limit);
  if (session.json()) return print_json(entries);
  std::vector<Row> rows;
  for (const Json& entry : entries) {
    const Json& actor = entry["actor"];
    const std::string ip = text_of(actor, "ip");
    rows.push_back({text_of(entry, "when").substr(0, 19) + "Z", text_of(actor, "name"),
                    ip.empty() ? "-" : ip, text_of(entry["action"], "type"),
                    text_of(entry["resource"], "type"), text_of(entry["resource"], "name"),
                    difference(entry)});
  }
  print(table({"WHEN", "WHO", "FROM", "DID", "WHAT", "NAME", "CHANGE"}, rows));
}

}  // namespace

const std::vector<Command>& log_commands() {
  static const std::vector<Command> kCommands = {
      {"",
       "log",
       "",
       0,
       0,
       "Who changed what, newest first.\n"
       "With --json each entry has the object before and after.",
       {{"zone", "ZONE", "changes of this zone and its records"},
        {"account", "ACCOUNT", "of this account; else of the whole node"},
        {"since", "TIME", "not before this time, as 2027-01-31T00:00:00Z"},
        {"limit", "NUMBER", "entries at most; else 50"}},
       log},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
