// brinkctl snapshot ...
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "ctl/cli/output.h"
#include "ctl/cli/progress.h"

namespace brink::ctl::cli {
namespace {

std::uint64_t number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

std::uint64_t parse_number(const std::string& what, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Stop(Exit::kUsage, what + " " + text + " is not a number");
  }
  return value;
}

std::string milliseconds_text(std::uint64_t micros) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(micros) / 1000);
  return text;
}

// Lines of "label  value"; values may have several lines.
class Sheet {
 public:
  void add(const std::string& label, const std::string& value) { rows_.push_back({label, value}); }
  [[nodiscard]] std::string text() const {
    std::size_t width = 0;
    for (const Row& row : rows_) width = std::max(width, row[0].size());
    std::string out;
    for (const Row& row : rows_) {
      out += row[0] + std::string(width - row[0].size() + 2, ' ') + row[1] + "\n";
    }
    return out;
  }

 private:
  std::vector<Row> rows_;
};

// The statistics lag behind the edge's word by a moment.
std::string served_text(const Json& publication, const Json& edge) {
  const bool connected = publication.value("connected", false);
  return "version " +
         (connected ? text_of(publication, "served_version") : text_of(edge, "version")) +
         ", published " + duration_text(edge.value("age_s", std::int64_t{0})) +
         " ago: " + text_of(edge, "zones") + " zones, " + text_of(edge, "names") + " names";
}

std::string memory_text(const Json& edge) {
  const std::uint64_t heap = number_of(edge, "heap_bytes");
  const std::uint64_t free = number_of(edge, "heap_free_bytes");
  const bool limited = !edge["memory_limit_bytes"].is_null();
  return size_text(number_of(edge, "size_bytes")) +
         (limited ? " of " + size_text(number_of(edge, "memory_limit_bytes")) : "") + "; heap " +
         size_text(heap) + ", " + percent_text(free, heap) + " of it free in fragments; records " +
         text_of(edge, "records") + ", " + text_of(edge, "records_free") + " free";
}

std::string waiting_text(const Json& edge) {
  if (number_of(edge, "waiting") == 0) return "nothing";
  std::string text = "what " + text_of(edge, "waiting") + " changes replaced, for " +
                     text_of(edge, "waiting_ms") + " ms";
  for (const Json& worker : edge.value("waiting_workers", Json::array())) {
    text += ", worker " + worker.dump();
  }
  return text;
}

void add_edge(Sheet& sheet, const Json& publication, const Json& edge) {
  sheet.add("served", served_text(publication, edge));
  sheet.add("", text_of(edge, "swaps") + " images, " + text_of(edge, "transactions") +
                    " transactions, " + text_of(edge, "refused") + " refused since the start");
  sheet.add("memory", memory_text(edge));
  sheet.add("log", size_text(number_of(edge, "log_bytes")) + " since the image on the disk; " +
                       text_of(edge, "compactions") + " compactions since the start");
  sheet.add("waiting for workers", waiting_text(edge));
  const std::string fallbacks = edge.value("fallbacks", "");
  if (!fallbacks.empty()) sheet.add("fallbacks", fallbacks);
  const std::uint64_t silent_ms = number_of(edge, "heartbeat_age_ms");
  if (silent_ms > 5000) {
    sheet.add("attention", "brink-edge gave no sign for " +
                               duration_text(static_cast<std::int64_t>(silent_ms / 1000)));
  }
}

void show_all(Session& session) {
  const Json result = session.call("GET", "/brink/v1/snapshot");
  if (session.json()) return print_json(result);
  const Json& store = result["store"];
  const Json& publication = result["publication"];
  Sheet sheet;
  sheet.add("stored", "version " + text_of(store, "version") + ": " + text_of(store, "zones") +
                          " zones, " + text_of(store, "records") + " records");
  sheet.add("compiled", "version " + text_of(publication, "compiled_version") + " in " +
                            milliseconds_text(number_of(publication, "compile_us")) +
                            ", published in " +
                            milliseconds_text(number_of(publication, "publish_us")));
  if (result["edge"].is_null()) {
    sheet.add("served", "unknown");
  } else {
    add_edge(sheet, publication, result["edge"]);
  }
  const std::string problem = publication.value("problem", "");
  if (!problem.empty()) sheet.add("problem", problem);
  print(sheet.text());
}

std::string standing_text(const Json& result) {
  const std::string standing = result.value("standing", "");
  const std::string above = text_of(result, "nearest_above");
  const std::string owner = result["answers"].is_null() ? "" : text_of(result["answers"], "name");
  if (standing == "exact") return "the name itself answers";
  if (standing == "delegation") return "delegated at " + owner;
  if (standing == "wildcard" && owner.empty()) {
    return "the wildcard that covers it owns nothing: no data; nearest name above: " + above;
  }
  if (standing == "wildcard") return "no such name; the wildcard " + owner + " answers";
  if (standing == "empty") {
    return "an empty non-terminal: there are names below it, but it owns nothing; nearest name "
           "above: " +
           above;
  }
  if (standing == "nxdomain") {
    return "no such name, and no wildcard covers it; nearest name above: " + above;
  }
  if (standing == "refused") return "no served zone encloses it: queries are refused";
  return standing;
}

std::string record_text(const Json& record) {
  return text_of(record, "name") + " " + text_of(record, "ttl") + " " + text_of(record, "type") +
         " " + text_of(record, "data");
}

std::string route_text(const Json& route) {
  if (route.is_null()) return "none: the name is not proxied";
  std::string origins;
  for (const Json& origin : route["origins"]) {
    origins += (origins.empty() ? "" : ", ") + text_of(origin, "address");
    if (!origin["port"].is_null()) origins += " port " + text_of(origin, "port");
  }
  if (origins.empty()) origins = "none";
  if (!route["target"].is_null()) origins += " (of " + text_of(route, "target") + ")";
  return "zone " + text_of(route, "zone") + ", origins " + origins + "; timeouts: connect " +
         text_of(route, "connect_timeout_ms") + " ms, acknowledgement " +
         text_of(route, "acknowledgement_timeout_ms") + " ms, read " +
         text_of(route, "read_timeout_ms") + " ms";
}

std::string joined(const Json& words) {
  std::string text;
  for (const Json& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text.empty() ? "none" : text;
}

void add_records(std::vector<Row>& rows, const Json& records, const std::string& part) {
  for (const Json& record : records) {
    rows.push_back({part, text_of(record, "name"), text_of(record, "ttl"), text_of(record, "type"),
                    text_of(record, "data")});
  }
}

void print_answers(const Json& owner) {
  std::vector<Row> rows;
  for (const Json& set : owner["rrsets"]) {
    add_records(rows, set["records"], "answer");
    add_records(rows, set["signatures"], "signature");
    add_records(rows, set["required_additional"], "+ required");
    add_records(rows, set["optional_additional"], "+ if it fits");
    add_records(rows, set["additional_signatures"], "+ signature");
    if (!set["target"].is_null()) {
      rows.push_back({"+ goes on at", text_of(set, "target"), "", "", ""});
    }
  }
  print(rows.empty() ? "\nno record sets\n"
                     : "\n" + table({"PART", "NAME", "TTL", "TYPE", "DATA"}, rows));
}

// What proves that something is not there, each record with its signatures.
void print_denials(const Json& denials) {
  std::vector<Row> rows;
  for (const Json& denial : denials) add_records(rows, denial, "denial");
  if (!rows.empty()) print("\n" + table({"PART", "NAME", "TTL", "TYPE", "DATA"}, rows));
}

void show_name(Session& session, const std::string& name) {
  const Json result = session.call("GET", "/brink/v1/snapshot/name?name=" + percent_encode(name));
  if (session.json()) return print_json(result);
  Sheet sheet;
  sheet.add("name", text_of(result, "name") + " in version " + text_of(result, "served_version"));
  sheet.add("standing", standing_text(result));
  const Json& owner = result["answers"];
  if (!owner.is_null()) {
    sheet.add("flags", joined(owner["flags"]));
    sheet.add("route", route_text(owner["route"]));
  }
  if (!result["zone"].is_null()) {
    sheet.add("zone",
              text_of(result["zone"], "name") + " serial " + text_of(result["zone"], "serial"));
    sheet.add("negative", record_text(result["zone"]["negative"]));
    for (const Json& signature : result["zone"]["negative_signatures"]) {
      sheet.add("", record_text(signature));
    }
  }
  print(sheet.text());
  if (!owner.is_null()) print_answers(owner);
  print_denials(result["denials"]);
}

void show(Session& session, const Arguments& arguments) {
  if (arguments.positional.empty()) return show_all(session);
  show_name(session, arguments.positional[0]);
}

// "example.com +1 ~2 -3"; "example.com created +1"; "example.com itself" when no record changed.
std::string zone_text(const Json& zone) {
  const std::string name = text_of(zone, "name");
  std::string text = name;
  if (zone.value("action", "") != "changed") text += " " + text_of(zone, "action");
  for (const auto& [mark, member] : {std::pair{"+", "added"}, {"~", "changed"}, {"-", "removed"}}) {
    if (number_of(zone, member) != 0) text += std::string(" ") + mark + text_of(zone, member);
  }
  return text == name ? name + " itself" : text;
}

// The first few; the rest is counted.
std::string zones_text(const Json& zones) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < zones.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + zone_text(zones[i]);
  }
  if (zones.size() > kShown) {
    text += " and " + std::to_string(zones.size() - kShown) + " more zones";
  }
  return text.empty() ? "-" : text;
}

std::string changes_text(const Json& version) {
  std::string text = zones_text(version["zones"]);
  const auto add = [&](const char* member, const char* what) {
    const std::uint64_t names = number_of(version, member);
    if (names == 0) return;
    text = (text == "-" ? "" : text + ", ") + std::to_string(names) +
           (names == 1 ? " name" : " names") + what;
  };
  add("resolved", " outside resolved anew");
  add("resigned", " signed anew");
  if (number_of(version, "tables") != 0) {
    text = (text == "-" ? "" : text + ", ") + std::string("certificates or rules");
  }
  return text;
}

void history(Session& session, const Arguments& arguments) {
  std::string target = "/brink/v1/snapshot/history?limit=" +
                       std::to_string(parse_number("--limit", arguments.get("limit", "20")));
  if (arguments.has("zone")) target += "&zone=" + percent_encode(arguments.get("zone"));
  if (arguments.has("before")) {
    target += "&before=" + std::to_string(parse_number("--before", arguments.get("before")));
  }
  const Json result = session.call("GET", target);
  if (session.json()) return print_json(result);
  std::vector<Row> rows;
  for (const Json& version : result["versions"]) {
    rows.push_back({text_of(version, "version"), text_of(version, "created_on").substr(0, 19) + "Z",
                    changes_text(version)});
  }
  print(table({"VERSION", "WHEN", "ZONES (+ added, ~ changed, - removed records)"}, rows));
  print("\nsnapshot rollback reaches from version " + text_of(result, "oldest") + " to " +
        text_of(result, "newest") + "\n");
}

void rollback(Session& session, const Arguments& arguments) {
  Json wanted = {{"version", parse_number("version", arguments.positional[0])}};
  if (arguments.has("zone")) wanted["zone"] = arguments.get("zone");
  if (arguments.has("dry-run")) wanted["dry_run"] = true;
  const Json result = session.call("POST", "/brink/v1/snapshot/rollback", wanted);
  if (session.json()) return print_json(result);
  std::vector<Row> rows;
  for (const Json& zone : result["zones"]) {
    rows.push_back({text_of(zone, "name"), text_of(zone, "action"), text_of(zone, "added"),
                    text_of(zone, "changed"), text_of(zone, "removed")});
  }
  if (rows.empty()) return;  // the server has said so
  print(table({"ZONE", "ACTION", "ADDED", "CHANGED", "REMOVED"}, rows));
  const std::string what = "the state of version " + text_of(result, "to_version");
  print(arguments.has("dry-run")
            ? "\nnot done: would bring back " + what + "\n"
            : "\nversion " + text_of(result, "version") + " brings back " + what + "\n");
}

// How large the image is that the edge works on; empty: it does not say.
std::string image_text(Session& session) {
  if (!Progress::is_wanted()) return "";
  const Json edge = session.call("GET", "/brink/v1/snapshot")["edge"];
  if (!edge.is_object()) return "";
  return " " + size_text(number_of(edge, "size_bytes")) + ", " + text_of(edge, "names") + " names";
}

void run_job(Session& session, const std::string& job, const std::string& doing,
             const std::string& done) {
  Json result;
  {
    const Progress progress(0, doing + image_text(session));
    result = session.call("POST", "/brink/v1/snapshot/" + job);
  }
  if (session.json()) return print_json(result);
  print(done + text_of(result, "report") + "\n");
}

void compact(Session& session, const Arguments&) {
  run_job(session, "compact", "compacting", "compacted: ");
}

void verify(Session& session, const Arguments&) {
  run_job(session, "verify", "verifying", "sound; ");
}

}  // namespace

const std::vector<Command>& snapshot_commands() {
  static const std::vector<Command> kCommands = {
      {"snapshot",
       "show",
       "[NAME]",
       0,
       1,
       "What brink-edge serves, or how it answers for NAME.\n"
       "Without NAME: version, age and size of what is served, its memory and log, and what is\n"
       "stored and compiled beside it. With NAME: the records, glue and route that the packet "
       "path\n"
       "finds, taken apart, with signatures and what denies other types; a name that is not there\n"
       "shows what answers instead, and what proves it.",
       {},
       show},
      {"snapshot",
       "history",
       "",
       0,
       0,
       "The versions of the store, newest first, and what each changed.",
       {{"limit", "NUMBER", "as many versions; 20 unless told, 1000 at most"},
        {"before", "VERSION", "only older ones than this"},
        {"zone", "ZONE", "only what was done to this zone"}},
       history},
      {"snapshot",
       "rollback",
       "VERSION",
       1,
       1,
       "Makes all zones, or one, what they were after VERSION.\n"
       "It is a change like any other: it takes a new version, raises the serials of the zones "
       "that\n"
       "differ, and returns when every worker serves it. Zones that came since are deleted, "
       "deleted\n"
       "ones come back.",
       {{"zone", "ZONE", "this zone alone"}, {"dry-run", "", "only tell what would change"}},
       rollback},
      {"snapshot",
       "compact",
       "",
       0,
       0,
       "Has brink-edge make a fresh image of what it serves, in memory and on disk.\n"
       "Serving goes on meanwhile. The edge does so by itself when its log or its waste grows.",
       {},
       compact},
      {"snapshot",
       "verify",
       "",
       0,
       0,
       "Has brink-edge check what it serves and what its disk holds.\n"
       "Serving goes on meanwhile. A fault that is found ends the command with exit code 1.",
       {},
       verify},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
