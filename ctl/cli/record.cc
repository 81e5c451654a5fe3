// brinkctl record ...
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/record_pending.h"
#include "ctl/cli/transaction.h"

namespace brink::ctl::cli {
namespace {

// A name, its zone, and the path of the zone's records.
struct Place {
  std::string name;
  Json zone;
  std::string path;
};

Place place_of(Session& session, const Arguments& arguments) {
  Place place;
  place.name = arguments.positional[0];
  if (place.name.size() > 1 && place.name.ends_with('.')) place.name.pop_back();
  if (arguments.has("zone")) {
    place.zone = find_zone(session, arguments.get("zone"));
    const std::string zone = text_of(place.zone, "name");
    if (place.name == "@") {
      place.name = zone;
    } else if (place.name != zone && !place.name.ends_with("." + zone)) {
      place.name += "." + zone;
    }
  } else {
    place.zone = find_zone_of(session, place.name);
  }
  place.path = zone_path(place.zone) + "/dns_records";
  return place;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

Json records_at(Session& session, const Place& place, const std::string& type) {
  std::string target = place.path + "?name=" + percent_encode(place.name);
  if (!type.empty()) target += "&type=" + percent_encode(upper(type));
  return session.list(target);
}

bool on_or_off(const Arguments& arguments, const std::string& option) {
  const std::string text = arguments.get(option);
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  throw Stop(Exit::kUsage, "--" + option + "=" + text + " is wrong: write on or off");
}

// The members that options set.
Json changes_of(const Arguments& arguments) {
  Json changes = Json::object();
  if (arguments.has("ttl")) {
    changes["ttl"] = arguments.get("ttl") == "auto" ? 1 : number_of(arguments, "ttl");
  }
  if (arguments.has("proxied")) changes["proxied"] = on_or_off(arguments, "proxied");
  if (arguments.has("priority")) changes["priority"] = number_of(arguments, "priority");
  if (arguments.has("comment")) changes["comment"] = arguments.get("comment");
  if (arguments.has("flatten")) {
    changes["settings"] = {{"flatten_cname", on_or_off(arguments, "flatten")}};
  }
  return changes;
}

void print_records(Session& session, const Json& records) {
  if (session.json()) return print_json(records);
  std::vector<Row> rows;
  for (const Json& record : records) {
    const std::string ttl = text_of(record, "ttl");
    std::string content = text_of(record, "content");
    if (record.contains("priority")) content = text_of(record, "priority") + " " + content;
    rows.push_back({text_of(record, "name"), ttl == "1" ? "auto" : ttl, text_of(record, "type"),
                    record.value("proxied", false) ? "proxied" : "dns-only", content});
  }
  print(table({"NAME", "TTL", "TYPE", "PROXY", "CONTENT"}, rows));
}

std::size_t size_of(const Difference& change) {
  return change.removed.size() + change.changed.size() + change.added.size();
}

// Whoever looks at a zone while a transaction is open is told which state is shown.
void note_pending(Session& session, const std::string& zone) {
  const auto transaction = Transaction::find(session, zone);
  if (!transaction) return;
  const Difference change = difference(transaction->before().entries, transaction->wanted());
  std::fprintf(
      stderr,
      "brinkctl: this is the zone as it is served; a transaction with %zu pending is open: "
      "--pending shows what it makes of the zone, zone diff %s what it changes\n",
      size_of(change), zone.c_str());
}

bool contains(const Json& record, const char* member, const std::string& part) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
  };
  return lower(text_of(record, member)).find(lower(part)) != std::string::npos;
}

// As the options of `record list` have it.
bool is_wanted(const Json& record, const Arguments& arguments) {
  if (arguments.has("type") && record["type"] != upper(arguments.get("type"))) return false;
  if (arguments.has("name") && !contains(record, "name", arguments.get("name"))) return false;
  if (arguments.has("content") && !contains(record, "content", arguments.get("content"))) {
    return false;
  }
  return !arguments.has("proxied") || record["proxied"] == on_or_off(arguments, "proxied");
}

// The zone as the open transaction will make it, without what is no record of it.
Json pending_records(Session& session, const std::string& zone) {
  const auto transaction = Transaction::find(session, zone);
  if (!transaction) {
    throw Stop(Exit::kNotFound, "no transaction of " + zone +
                                    " is open; brinkctl zone begin opens one, without --pending "
                                    "the zone is shown as it is served");
  }
  Json records = Json::array();
  for (const Entry& entry : transaction->wanted()) {
    if (entry.record.type == model::kTypeSoa) continue;
    Json record = members_of(entry.record);
    record["name"] = entry.record.name.text();
    records.push_back(std::move(record));
  }
  return records;
}

void list_pending(Session& session, const Arguments& arguments) {
  const std::string zone = text_of(find_zone(session, arguments.positional[0]), "name");
  Json shown = Json::array();
  for (const Json& record : pending_records(session, zone)) {
    if (is_wanted(record, arguments)) shown.push_back(record);
  }
  print_records(session, shown);
}

void list(Session& session, const Arguments& arguments) {
  if (arguments.has("pending")) return list_pending(session, arguments);
  const Json zone = find_zone(session, arguments.positional[0]);
  note_pending(session, text_of(zone, "name"));
  std::string target = zone_path(zone) + "/dns_records?order=name";
  for (const auto& [option, key] : {std::pair{"type", "type"},
                                    {"name", "name.contains"},
                                    {"content", "content.contains"},
                                    {"proxied", "proxied"}}) {
    if (!arguments.has(option)) continue;
    std::string value = arguments.get(option);
    if (std::string_view(option) == "proxied") {
      value = on_or_off(arguments, option) ? "true" : "false";
    } else if (std::string_view(option) == "type") {
      value = upper(value);
    }
    target += "&" + std::string(key) + "=" + percent_encode(value);
  }
  print_records(session, session.list(target));
}

void show(Session& session, const Arguments& arguments) {
  const Place place = place_of(session, arguments);
  const std::string zone = text_of(place.zone, "name");
  const std::string type = arguments.positional.size() > 1 ? upper(arguments.positional[1]) : "";
  Json records = Json::array();
  if (arguments.has("pending")) {
    for (const Json& record : pending_records(session, zone)) {
      const bool is_meant =
          record["name"] == place.name && (type.empty() || record["type"] == type);
      if (is_meant) records.push_back(record);
    }
  } else {
    note_pending(session, zone);
    records = records_at(session, place, type);
  }
  if (records.empty()) throw Stop(Exit::kNotFound, "there are no such records at " + place.name);
  print_records(session, records);
}

Json content_members(const Arguments& arguments, const Place& place) {
  Json record = {{"name", place.name + "."},
                 {"type", upper(arguments.positional[1])},
                 {"content", arguments.positional[2]}};
  record.update(changes_of(arguments));
  return record;
}

// What the command line says within a transaction.
using Edit = Entries (*)(Entries, const RecordWish&);

// True: a transaction of the zone is open and has taken the change.
bool is_collected(Session& session, const Arguments& arguments, const Place& place, Edit edit) {
  auto transaction = Transaction::find(session, text_of(place.zone, "name"));
  if (!transaction) return false;
  RecordWish wish{transaction->before().name, place.name, "", std::nullopt, changes_of(arguments)};
  if (arguments.positional.size() > 1) wish.type = upper(arguments.positional[1]);
  if (arguments.positional.size() > 2) wish.content = arguments.positional[2];
  transaction->want(edit(transaction->wanted(), wish));
  const Difference change = difference(transaction->before().entries, transaction->wanted());
  const std::size_t count = size_of(change);
  const std::string zone = transaction->before().name.text();
  if (session.json()) {
    print_json({{"zone", zone}, {"pending", count}});
  } else {
    print("collected, " + std::to_string(count) + " pending: brinkctl zone diff " + zone +
          ", then zone commit\n");
  }
  return true;
}

void add(Session& session, const Arguments& arguments) {
  const Place place = place_of(session, arguments);
  if (is_collected(session, arguments, place, with_added)) return;
  print_records(session,
                Json::array({session.call("POST", place.path, content_members(arguments, place))}));
}

// Changes what options say of all records of the name and type.
void set_options(Session& session, const Arguments& arguments) {
  const Json changes = changes_of(arguments);
  if (changes.empty()) {
    throw Stop(Exit::kUsage,
               "nothing to set: give the content, or an option such as --proxied=off");
  }
  const Place place = place_of(session, arguments);
  if (is_collected(session, arguments, place, with_set)) return;
  const Json records = records_at(session, place, arguments.positional[1]);
  if (records.empty()) {
    throw Stop(Exit::kNotFound, place.name + " has no " + upper(arguments.positional[1]) +
                                    " record; give its content to create one");
  }
  Json patches = Json::array();
  for (const Json& record : records) {
    Json patch = {{"id", record["id"]}};
    patch.update(changes);
    patches.push_back(patch);
  }
  const Json result = session.call("POST", place.path + "/batch", {{"patches", patches}});
  print_records(session, result["patches"]);
}

// Makes the record the only one of its name and type: one that has the content already is kept,
// else the first is changed; all others go. One transaction.
void set(Session& session, const Arguments& arguments) {
  if (arguments.positional.size() < 3) return set_options(session, arguments);
  const Place place = place_of(session, arguments);
  if (is_collected(session, arguments, place, with_set)) return;
  const Json wanted = content_members(arguments, place);
  const Json records = records_at(session, place, arguments.positional[1]);
  if (records.empty()) {
    return print_records(session, Json::array({session.call("POST", place.path, wanted)}));
  }
  auto kept = std::find_if(records.begin(), records.end(), [&](const Json& record) {
    return record["content"] == wanted["content"];
  });
  if (kept == records.end()) kept = records.begin();
  Json patch = {{"id", (*kept)["id"]}};
  patch.update(wanted);
  Json deletes = Json::array();
  for (const Json& record : records) {
    if (record["id"] != (*kept)["id"]) deletes.push_back({{"id", record["id"]}});
  }
  const Json result = session.call("POST", place.path + "/batch",
                                   {{"deletes", deletes}, {"patches", Json::array({patch})}});
  print_records(session, result["patches"]);
}

void remove(Session& session, const Arguments& arguments) {
  const auto& words = arguments.positional;
  if (words.size() < 2 && !arguments.has("all")) {
    throw Stop(Exit::kUsage, "name a type, or give --all to delete every record of " + words[0]);
  }
  const Place place = place_of(session, arguments);
  if (is_collected(session, arguments, place, with_removed)) return;
  Json deletes = Json::array();
  Json gone = Json::array();
  for (const Json& record : records_at(session, place, words.size() > 1 ? words[1] : "")) {
    if (words.size() > 2 && record["content"] != words[2]) continue;
    deletes.push_back({{"id", record["id"]}});
    gone.push_back(record);
  }
  if (deletes.empty()) throw Stop(Exit::kNotFound, "there are no such records at " + place.name);
  session.call("POST", place.path + "/batch", {{"deletes", deletes}});
  if (session.json()) return print_json(gone);
  print("deleted " + std::to_string(gone.size()) + " of " + place.name + "\n");
}

std::vector<Option> change_options() {
  return {{"ttl", "SECONDS", "time to live, or auto"},
          {"proxied", "on|off", "whether the edge stands before it; alone it means on", true},
          {"priority", "NUMBER", "of MX, SRV and URI records"},
          {"comment", "TEXT", "a note beside the record"},
          {"flatten", "on|off", "answer a CNAME with the addresses behind it", true},
          {"zone", "ZONE", "the zone; else the longest one that contains NAME"}};
}

}  // namespace

const std::vector<Command>& record_commands() {
  static const Option kZone{"zone", "ZONE", "the zone; else the longest one that contains NAME"};
  static const Option kPending{"pending", "", "as the open transaction will make it"};
  static const std::vector<Command> kCommands = {
      {"record",
       "list",
       "ZONE",
       1,
       1,
       "The records of a zone.",
       {{"type", "TYPE", "only of this type"},
        {"name", "TEXT", "only whose name contains this"},
        {"content", "TEXT", "only whose content contains this"},
        {"proxied", "on|off", "only proxied ones, or only the others", true},
        kPending},
       list},
      {"record", "show", "NAME [TYPE]", 1, 2, "The records of a name.", {kZone, kPending}, show},
      {"record", "set", "NAME TYPE [CONTENT]", 2, 3,
       "Makes CONTENT the only record of NAME and TYPE.\n"
       "Without CONTENT: changes what the options say of the records that are there.",
       change_options(), set},
      {"record", "add", "NAME TYPE CONTENT", 3, 3, "Adds a record beside those of NAME and TYPE.",
       change_options(), add},
      {"record",
       "delete",
       "NAME [TYPE [CONTENT]]",
       1,
       3,
       "Deletes records of a name.",
       {{"all", "", "without TYPE: all of them"}, kZone},
       remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
