// brinkctl ruleset ...: the rules of a zone, phase by phase, as files.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string entrypoint_path(const Json& zone, const Arguments& arguments) {
  return zone_path(zone) + "/rulesets/phases/" + percent_encode(arguments.positional[1]) +
         "/entrypoint";
}

void print_ruleset(Session& session, const Json& ruleset) {
  if (session.json()) return print_json(ruleset);
  print("phase    " + text_of(ruleset, "phase") + "\nid       " + text_of(ruleset, "id") +
        "\nversion  " + text_of(ruleset, "version") + "\nupdated  " +
        text_of(ruleset, "last_updated") + "\n");
  std::vector<Row> rows;
  for (const Json& rule : ruleset["rules"]) {
    rows.push_back({text_of(rule, "ref"), rule.value("enabled", true) ? "on" : "off",
                    text_of(rule, "action"), text_of(rule, "expression")});
  }
  print(table({"REF", "STATE", "ACTION", "EXPRESSION"}, rows));
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json rulesets = session.call("GET", zone_path(zone) + "/rulesets");
  if (session.json()) return print_json(rulesets);
  std::vector<Row> rows;
  for (const Json& each : rulesets) {
    rows.push_back({text_of(each, "phase"), text_of(each, "version"), text_of(each, "last_updated"),
                    text_of(each, "id")});
  }
  print(table({"PHASE", "VERSION", "UPDATED", "ID"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  print_ruleset(session, session.call("GET", entrypoint_path(zone, arguments)));
}

// A ruleset as `show --json` prints it, or its rules alone.
Json rules_of(const std::string& path) {
  Json json = Json::parse(read_file(path), nullptr, false);
  if (json.is_array()) return {{"rules", std::move(json)}};
  if (json.is_object() && json.contains("rules")) return json;
  throw Stop(Exit::kInputUnreadable,
             path +
                 ": is no ruleset in JSON; write {\"rules\": [...]}, as brinkctl ruleset show "
                 "--json prints one, or the array alone");
}

void set(Session& session, const Arguments& arguments) {
  const Json body = rules_of(arguments.positional[2]);
  const Json zone = find_zone(session, arguments.positional[0]);
  print_ruleset(session, session.call("PUT", entrypoint_path(zone, arguments), body));
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json found = session.call("GET", entrypoint_path(zone, arguments));
  session.call("DELETE", zone_path(zone) + "/rulesets/" + text_of(found, "id"));
  if (session.json()) return print_json(found);
  print("deleted the ruleset of phase " + text_of(found, "phase") + "\n");
}

}  // namespace

const std::vector<Command>& ruleset_commands() {
  static const std::vector<Command> kCommands = {
      {"ruleset", "list", "ZONE", 1, 1, "The phases in which a zone has rules.", {}, list},
      {"ruleset", "show", "ZONE PHASE", 2, 2, "The rules of a phase, in their order.", {}, show},
      {"ruleset",
       "set",
       "ZONE PHASE FILE",
       3,
       3,
       "Makes the rules of a phase those of a file, in JSON.\n"
       "One with the id or ref of a rule that is there keeps its id; all others go.",
       {},
       set},
      {"ruleset", "delete", "ZONE PHASE", 2, 2, "Deletes all rules of a phase.", {}, remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
