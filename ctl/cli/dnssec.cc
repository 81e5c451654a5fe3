// brinkctl dnssec ...: whether a zone is signed, its keys, and what its parent has to know.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string own_path(const Json& zone) {
  return "/brink/v1/zones/" + zone["id"].get<std::string>() + "/dnssec";
}

std::string texts_of(const Json& list) {
  std::string text;
  if (!list.is_array()) return "-";
  for (const Json& each : list)
    text += (text.empty() ? "" : "\n          ") + each.get<std::string>();
  return text.empty() ? "none" : text;
}

// What is to be done, if anything is.
std::string advice(const Json& details) {
  const std::string status = text_of(details, "status");
  const Json& wanted = details["wanted_ds"];
  if (status == "error") {
    return "validating resolvers refuse the zone: replace the DS records at the registrar by those "
           "of `brinkctl dnssec ds`";
  }
  if (wanted.is_array() && wanted.empty() && status == "pending-disabled") {
    return "have the DS records removed at the registrar; the zone stays signed until then";
  }
  const bool waits = status == "pending" || details.value("waits_for_parent", false);
  if (waits && wanted.is_array() && !wanted.empty()) {
    return "have the DS records of `brinkctl dnssec ds` put in at the registrar";
  }
  if (status == "pending") {
    return "wait until " + text_of(details, "next_step_on") +
           " with the DS records: some resolvers do not know the keys before";
  }
  return "";
}

void print_status(Session& session, const Json& zone, const Json& details) {
  if (session.json()) return print_json(details);
  if (details.value("presigned", false)) {
    return print("zone      " + text_of(zone, "name") +
                 "\nstatus    presigned: it came with its signatures, and is served as it came\n");
  }
  std::string text = "zone      " + text_of(zone, "name") + "\nstatus    " +
                     text_of(details, "status") + "\nkeys      " +
                     std::to_string(details["keys"].size()) + ", " + text_of(details, "key_type") +
                     (details.value("split_keys", false) ? ", key-signing and zone-signing" : "") +
                     "\ndenial    " + text_of(details, "denial") +
                     (details.value("opt_out", false) ? ", opt-out" : "") + "\nDS wanted " +
                     texts_of(details["wanted_ds"]) + "\nparent    " + text_of(details, "result") +
                     "\nlooked    " + text_of(details, "looked_on") + "\nnext step " +
                     text_of(details, "next_step_on") + "\n";
  if (const std::string todo = advice(details); !todo.empty()) text += "to do     " + todo + "\n";
  print(text);
}

void status(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  print_status(session, zone, session.call("GET", own_path(zone)));
}

void enable(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json keys = Json::object(), body = {{"status", "active"}};
  if (arguments.has("algorithm")) keys["algorithm"] = arguments.get("algorithm");
  if (arguments.has("split")) keys["split_keys"] = arguments.get("split") == "on";
  if (arguments.has("opt-out")) keys["opt_out"] = arguments.get("opt-out") == "on";
  if (arguments.has("nsec3")) body["dnssec_use_nsec3"] = arguments.get("nsec3") == "on";
  if (arguments.has("multi-signer")) {
    body["dnssec_multi_signer"] = arguments.get("multi-signer") == "on";
  }
  if (!keys.empty()) session.call("PATCH", own_path(zone), keys);
  session.call("PATCH", zone_path(zone) + "/dnssec", body);
  print_status(session, zone, session.call("GET", own_path(zone)));
}

void disable(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  session.call("PATCH", zone_path(zone) + "/dnssec", {{"status", "disabled"}});
  print_status(session, zone, session.call("GET", own_path(zone)));
}

void presigned(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string& wanted = arguments.positional[1];
  if (wanted != "on" && wanted != "off") throw Stop(Exit::kUsage, "write on or off: " + wanted);
  session.call("PATCH", zone_path(zone) + "/dnssec", {{"dnssec_presigned", wanted == "on"}});
  print_status(session, zone, session.call("GET", own_path(zone)));
}

// The records alone, one a line, as a registrar takes them.
void ds(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json details = session.call("GET", own_path(zone));
  Json records = details["wanted_ds"];
  if (records.is_null()) {
    const Json shown = session.call("GET", zone_path(zone) + "/dnssec");
    records = Json::array();
    if (shown["ds"].is_string()) records.push_back(shown["ds"]);
  }
  if (session.json()) return print_json(records);
  if (details.value("presigned", false)) {
    throw Stop(Exit::kRefused, "the zone is presigned: its DS records are with whoever signed it");
  }
  if (details["status"] == "disabled") {
    throw Stop(Exit::kRefused,
               "the zone is not signed: brinkctl dnssec enable " + text_of(zone, "name"));
  }
  std::string text;
  for (const Json& each : records) text += each.get<std::string>() + "\n";
  print(text);
}

std::string tasks_of(const Json& key) {
  std::string tasks;
  const auto add = [&](const char* member, const char* text) {
    if (key.value(member, false)) tasks += (tasks.empty() ? "" : ",") + std::string(text);
  };
  add("in_dnskey", "published");
  add("signs_keys", "signs-keys");
  add("signs_zone", "signs-zone");
  add("in_cds", "ds-wanted");
  add("ds_shown", "ds-shown");
  return tasks.empty() ? "-" : tasks;
}

void keys(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json list = session.call("GET", own_path(zone) + "/keys");
  if (session.json()) return print_json(list);
  std::vector<Row> rows;
  for (const Json& key : list) {
    rows.push_back({text_of(key, "key_tag"), text_of(key, "role"), text_of(key, "key_type"),
                    text_of(key, "state"), text_of(key, "since"), tasks_of(key),
                    text_of(key, "id")});
  }
  print(table({"TAG", "ROLE", "ALGORITHM", "STATE", "SINCE", "TASKS", "ID"}, rows));
}

void rollover(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json body = Json::object();
  if (arguments.positional.size() > 1) body["role"] = arguments.positional[1];
  print_status(session, zone, session.call("POST", own_path(zone) + "/rollover", body));
}

void ds_seen(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  print_status(session, zone, session.call("POST", own_path(zone) + "/ds_seen", Json::object()));
}

void check(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  print_status(session, zone, session.call("POST", own_path(zone) + "/check", Json::object()));
}

void import_key(Session& session, const Arguments& arguments) {
  // The file first: when it is wrong, nothing is asked.
  Json body = {{"private_key", read_key_file(arguments.positional[1])}};
  for (const char* name : {"role", "algorithm"}) {
    if (arguments.has(name)) body[name] = arguments.get(name);
  }
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json key = session.call("POST", own_path(zone) + "/keys", body);
  if (session.json()) return print_json(key);
  print("zone " + text_of(zone, "name") + ": key " + text_of(key, "key_tag") + " (" +
        text_of(key, "role") + ", " + text_of(key, "key_type") + ") is " + text_of(key, "state") +
        ", id " + text_of(key, "id") + "\n");
}

void delete_key(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result =
      session.call("DELETE", own_path(zone) + "/keys/" + percent_encode(arguments.positional[1]));
  if (session.json()) return print_json(result);
  print("deleted key " + text_of(result, "id") + "\n");
}

}  // namespace

const std::vector<Command>& dnssec_commands() {
  static const std::vector<Command> kCommands = {
      {"dnssec",
       "enable",
       "ZONE",
       1,
       1,
       "Signs a zone, and makes the keys for it.\n"
       "It is \"pending\" until its DS records are seen at the parent: see `dnssec ds`.",
       {{"algorithm", "NAME", "of its keys: ECDSAP256SHA256 (the default), ED25519, RSASHA256..."},
        {"split", "on|off", "a key-signing and a zone-signing key, not one for both", true},
        {"nsec3", "on|off", "deny by NSEC3 records, so that names cannot be listed", true},
        {"opt-out", "on|off",
         "leave delegations that are not signed out of the chain of NSEC3 records", true},
        {"multi-signer", "on|off", "other providers sign the zone too", true}},
       enable},
      {"dnssec",
       "disable",
       "ZONE",
       1,
       1,
       "Leaves DNSSEC: asks the parent to remove the zone's DS records, and signs until it has.",
       {},
       disable},
      {"dnssec",
       "presigned",
       "ZONE on|off",
       2,
       2,
       "Whether a zone comes with its signatures: see `zone import --presigned`, which says so "
       "too.\n"
       "on: of an empty zone. off: takes away what signing put into it; what is left is not "
       "signed.",
       {},
       presigned},
      {"dnssec",
       "status",
       "ZONE",
       1,
       1,
       "Whether a zone is signed, what its parent has, and what is to be done.",
       {},
       status},
      {"dnssec",
       "ds",
       "ZONE",
       1,
       1,
       "The DS records that the parent should have, for the registrar.",
       {},
       ds},
      {"dnssec", "keys", "ZONE", 1, 1, "The keys of a zone, and what each of them does.", {}, keys},
      {"dnssec",
       "rollover",
       "ZONE [ROLE]",
       1,
       2,
       "Replaces a key: csk, or ksk or zsk of a zone with two.\n"
       "It takes days, step by step; `dnssec status` shows the next.",
       {},
       rollover},
      {"dnssec",
       "ds-seen",
       "ZONE",
       1,
       1,
       "Says that the parent has the DS records that it should have, where it cannot be asked.",
       {},
       ds_seen},
      {"dnssec", "check", "ZONE", 1, 1, "Asks the parent now which DS records it has.", {}, check},
      {"dnssec",
       "import-key",
       "ZONE FILE",
       2,
       2,
       "Brings a private key along: a file of BIND, ldns or Knot, or PEM.\n"
       "It is taken when a key of its kind is needed next: at `dnssec enable`, or at a rollover.",
       {{"role", "ROLE", "csk, ksk or zsk; csk if it is not said and the zone has one key"},
        {"algorithm", "NAME", "of a key in PEM; else the zone's"}},
       import_key},
      {"dnssec",
       "delete-key",
       "ZONE KEY",
       2,
       2,
       "Deletes a key that was brought along and not taken, by its id.",
       {},
       delete_key},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
