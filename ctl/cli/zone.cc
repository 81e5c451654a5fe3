// brinkctl zone ...
#include <algorithm>
#include <fstream>

#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/progress.h"
#include "ctl/cli/zone_change.h"
#include "ctl/cli/zone_check.h"

namespace brink::ctl::cli {
namespace {

void print_zone(Session& session, const Json& zone) {
  if (session.json()) return print_json(zone);
  std::string servers;
  for (const Json& server : zone["name_servers"]) {
    servers += (servers.empty() ? "" : " ") + server.get<std::string>();
  }
  print("name          " + text_of(zone, "name") + "\nid            " + text_of(zone, "id") +
        "\nstatus        " + text_of(zone, "status") + "\npaused        " +
        text_of(zone, "paused") + "\nname servers  " + servers + "\ncreated       " +
        text_of(zone, "created_on") + "\nmodified      " + text_of(zone, "modified_on") +
        "\nactivated     " + text_of(zone, "activated_on") + "\n");
}

void list(Session& session, const Arguments&) {
  const Json zones = session.list("/client/v4/zones?order=name");
  if (session.json()) return print_json(zones);
  std::vector<Row> rows;
  for (const Json& zone : zones) {
    rows.push_back({text_of(zone, "name"), text_of(zone, "status"),
                    zone.value("paused", false) ? "paused" : "-", text_of(zone, "id")});
  }
  print(table({"NAME", "STATUS", "PAUSED", "ID"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  print_zone(session, find_zone(session, arguments.positional[0]));
}

Json activate_zone(Session& session, const Json& zone) {
  return session.call("POST", "/brink/v1/zones/" + text_of(zone, "id") + "/activate");
}

void create(Session& session, const Arguments& arguments) {
  Json wanted = {{"name", arguments.positional[0]}};
  if (arguments.has("account")) {
    wanted["account"] = {{"id", text_of(find_account(session, arguments), "id")}};
  }
  Json zone = session.call("POST", "/client/v4/zones", wanted);
  if (arguments.has("activate")) zone = activate_zone(session, zone);
  print_zone(session, zone);
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result = session.call("DELETE", zone_path(zone));
  if (session.json()) return print_json(result);
  print("deleted zone " + text_of(zone, "name") + "\n");
}

// A check that disagrees is no failure of the command: the answer says what it found.
void activate(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  if (arguments.has("force")) return print_zone(session, activate_zone(session, zone));
  const Json checked = session.call("PUT", zone_path(zone) + "/activation_check");
  if (session.json()) return print_json(checked);
  print("zone " + text_of(zone, "name") + " is " + text_of(checked, "status") + ": " +
        text_of(checked["activation"], "result") + "\n");
}

void set_paused(Session& session, const std::string& name, bool paused) {
  print_zone(session,
             session.call("PATCH", zone_path(find_zone(session, name)), {{"paused", paused}}));
}
void pause(Session& session, const Arguments& arguments) {
  set_paused(session, arguments.positional[0], true);
}
void resume(Session& session, const Arguments& arguments) {
  set_paused(session, arguments.positional[0], false);
}

struct ImportZone {
  Json zone;
  bool created;  // by this command, which takes it back when the import is refused
};

ImportZone zone_for_import(Session& session, const Arguments& arguments, const std::string& name) {
  const Json found = session.call("GET", "/client/v4/zones?name=" + percent_encode(name));
  if (!found.empty()) return {found.front(), false};
  if (!arguments.has("create")) {
    throw Stop(Exit::kNotFound,
               "there is no zone \"" + name + "\"; add --create, or name another with --zone");
  }
  return {session.call("POST", "/client/v4/zones", {{"name", name}}), true};
}

// A form with the file and flags, made in the place of the file: it may be large.
std::string import_form(std::string file, const Arguments& arguments, std::string& boundary) {
  boundary = "brinkctl";
  while (file.find(boundary) != std::string::npos) boundary += "-next";
  const auto head_of = [&boundary](const std::string& name) {
    return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n";
  };
  std::string form = std::move(file);
  form.insert(0, head_of("file"));
  form += "\r\n";
  for (const char* flag : {"proxied", "presigned"}) {
    if (arguments.has(flag)) form += head_of(flag) + "true\r\n";
  }
  form += "--" + boundary + "--\r\n";
  return form;
}

void import_file(Session& session, const Arguments& arguments) {
  const std::string& path = arguments.positional[0];
  std::string text = read_file(path);
  const auto [zone, created] = zone_for_import(
      session, arguments, arguments.has("zone") ? arguments.get("zone") : zone_name_of(path, text));
  const auto lines = std::count(text.begin(), text.end(), '\n');
  std::string boundary;
  std::string form = import_form(std::move(text), arguments, boundary);
  Response response;
  try {
    Progress progress(form.size(), "importing " + std::to_string(lines) + " lines");
    response = session.call_raw("POST", zone_path(zone) + "/dns_records/import", std::move(form),
                                "multipart/form-data; boundary=" + boundary,
                                [&](std::uint64_t bytes) { progress.sent(bytes); });
  } catch (const Stop& stop) {
    if (created) session.call("DELETE", zone_path(zone));
    throw Stop(stop.code, path + ": " + stop.what());
  }
  if (arguments.has("activate")) activate_zone(session, zone);
  const Json& result = response.envelope["result"];
  if (session.json()) return print_json(result);
  std::string done =
      "zone " + text_of(zone, "name") + ": " + text_of(result, "recs_added") + " records added, ";
  if (arguments.has("presigned")) {
    done += text_of(result, "recs_changed") + " changed, " + text_of(result, "recs_removed") +
            " removed, ";
  }
  print(done + text_of(result, "total_records_parsed") + " read\n");
}

void export_file(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string query = arguments.has("signed") ? "?served=true" : "";
  const Response response =
      session.call_raw("GET", zone_path(zone) + "/dns_records/export" + query);
  if (!arguments.has("output")) return print(response.text);
  const std::string path = arguments.get("output");
  std::ofstream file(path, std::ios::binary);
  file << response.text;
  file.close();
  if (!file) throw Stop(Exit::kInputUnreadable, path + ": cannot be written");
}

void serial(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string path = "/brink/v1/zones/" + text_of(zone, "id") + "/serial";
  Json body = Json::object();
  if (arguments.has("policy")) body["policy"] = arguments.get("policy");
  if (arguments.has("set")) body["serial"] = number_of(arguments, "set");
  const Json result = body.empty() ? session.call("GET", path) : session.call("PATCH", path, body);
  if (session.json()) return print_json(result);
  print("zone " + text_of(zone, "name") + ": serial " + text_of(result, "serial") + ", policy " +
        text_of(result, "policy") + "\n");
}

}  // namespace

const std::vector<Command>& zone_commands() {
  static const std::vector<Command> kCommands = {
      {"zone", "list", "", 0, 0, "All zones.", {}, list},
      {"zone", "show", "ZONE", 1, 1, "One zone.", {}, show},
      {"zone",
       "create",
       "NAME",
       1,
       1,
       "Creates a zone. It is pending, and proxies nothing, until it is activated.",
       {{"activate", "", "activate it at once"},
        {"account", "ACCOUNT", "name or id of the account; else the caller's, or the first"}},
       create},
      {"zone", "delete", "ZONE", 1, 1, "Deletes a zone with all its records.", {}, remove},
      {"zone",
       "activate",
       "ZONE",
       1,
       1,
       "Checks whether the parent delegates the zone to its name servers. If so, the zone is "
       "active:\n"
       "its proxied records are proxied from now on.",
       {{"force", "", "do not check: activate it, and let no later check say otherwise"}},
       activate},
      {"zone", "pause", "ZONE", 1, 1, "Answers all records of a zone as DNS-only.", {}, pause},
      {"zone", "resume", "ZONE", 1, 1, "Ends a pause.", {}, resume},
      {"zone",
       "import",
       "FILE",
       1,
       1,
       "Adds the records of a zone file.\n"
       "All of it or nothing. Records that are there already are left alone. With --presigned the "
       "file is\n"
       "the whole zone, and is refused when its signatures or its chain of denial are not right.",
       {{"zone", "ZONE", "the zone; else the file's $ORIGIN, else its name without .zone"},
        {"create", "", "create the zone if it is not there"},
        {"activate", "", "activate the zone afterwards"},
        {"proxied", "", "proxy records that can be, unless the file says otherwise"},
        {"presigned", "",
         "the file is a zone that was signed elsewhere: it takes the place of all records, and is "
         "served as it is"}},
       import_file},
      {"zone",
       "export",
       "ZONE",
       1,
       1,
       "Prints a zone as a zone file.\n"
       "As it is stored, for `zone import`; with --signed as it is served, for other servers: "
       "proxied "
       "names\n"
       "with the edge's addresses, and with the signatures and the chain of a zone that is signed.",
       {{"output", "FILE", "write to a file"}, {"signed", "", "as it is served"}},
       export_file},
      {"zone",
       "check",
       "[ZONE]",
       0,
       1,
       "Looks for what is wrong with a zone, or hardly meant so: as it is served, or in a file.\n"
       "Missing glue, targets without address, data that is never answered... and of a signed "
       "zone, "
       "whether\n"
       "its signatures and its chain of denial hold. Errors end the command with exit code 1, "
       "warnings do not.",
       {{"file", "FILE", "a zone file, which no server needs to know"},
        {"zone", "ZONE", "the zone of the file; else its $ORIGIN, or its name without .zone"}},
       check_zone},
      {"zone",
       "serial",
       "ZONE",
       1,
       1,
       "The serial of a zone's SOA, and how it goes on with every change (RFC 1982).",
       {{"policy", "POLICY",
         "increment, unixtime, dateserial (YYYYMMDDnn), or keep: until it is set or imported"},
        {"set", "NUMBER", "the serial from now on; one that is newer"}},
       serial},
      {"zone",
       "edit",
       "ZONE",
       1,
       1,
       "Opens a zone as a zone file in your editor.\n"
       "Afterwards the difference is shown and, once confirmed, done as one change: all of it or "
       "nothing.\n"
       "It is refused when somebody else has changed the zone meanwhile. The editor is VISUAL, "
       "EDITOR, or\n"
       "the first of editor, nano and vi that is installed.",
       {{"yes", "", "do not ask; without a terminal nobody could answer"}},
       edit_zone},
      {"zone",
       "begin",
       "ZONE",
       1,
       1,
       "Begins a transaction: changes of records are collected until zone commit.\n"
       "They are those of record set, add and delete, shown by zone diff, dropped by zone abort.\n"
       "The changes are kept in a file of yours (XDG_STATE_HOME) and are nobody else's.",
       {},
       begin_zone},
      {"zone", "diff", "ZONE", 1, 1, "Shows what a transaction would change.", {}, diff_zone},
      {"zone",
       "commit",
       "ZONE",
       1,
       1,
       "Does what a transaction has collected, as one change: all of it or nothing.\n"
       "It is refused, and the transaction stays, when the zone has changed since it began.",
       {{"rebase", "", "make the same changes to what the zone is now"}},
       commit_changes},
      {"zone", "abort", "ZONE", 1, 1, "Drops a transaction.", {}, abort_zone},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
