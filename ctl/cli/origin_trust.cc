// brinkctl origin-trust ...: the authorities that a zone trusts to sign the certificates of its
// origins.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string trust_path(const Json& zone) {
  return zone_path(zone) + "/acm/custom_trust_store";
}

void print_authority(Session& session, const Json& authority) {
  if (session.json()) return print_json(authority);
  print("id        " + text_of(authority, "id") + "\nissuer    " + text_of(authority, "issuer") +
        "\nsigned    " + text_of(authority, "signature") + "\nexpires   " +
        text_of(authority, "expires_on") + "\nuploaded  " + text_of(authority, "uploaded_on") +
        "\n");
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json authorities = session.list(trust_path(zone));
  if (session.json()) return print_json(authorities);
  if (authorities.empty()) {
    return print("zone " + text_of(zone, "name") +
                 ": none of its own; origins are trusted by what the edge has\n");
  }
  std::vector<Row> rows;
  for (const Json& each : authorities) {
    rows.push_back({text_of(each, "uploaded_on"), text_of(each, "expires_on"),
                    text_of(each, "issuer"), text_of(each, "id")});
  }
  print(table({"UPLOADED", "EXPIRES", "ISSUER", "ID"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json authority =
      session.call("GET", trust_path(zone) + "/" + percent_encode(arguments.positional[1]));
  if (arguments.has("pem")) return print(text_of(authority, "certificate"));
  print_authority(session, authority);
}

void add(Session& session, const Arguments& arguments) {
  const Json body = {{"certificate", read_file(arguments.positional[1])}};
  const Json zone = find_zone(session, arguments.positional[0]);
  print_authority(session, session.call("POST", trust_path(zone), body));
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result =
      session.call("DELETE", trust_path(zone) + "/" + percent_encode(arguments.positional[1]));
  if (session.json()) return print_json(result);
  print("deleted authority " + text_of(result, "id") + "\n");
}

}  // namespace

const std::vector<Command>& origin_trust_commands() {
  static const std::vector<Command> kCommands = {
      {"origin-trust",
       "list",
       "ZONE",
       1,
       1,
       "The authorities that a zone trusts to sign certificates of its origins.",
       {},
       list},
      {"origin-trust",
       "show",
       "ZONE ID",
       2,
       2,
       "One of them.",
       {{"pem", "", "its certificate itself"}},
       show},
      {"origin-trust",
       "add",
       "ZONE FILE",
       2,
       2,
       "Trusts the authorities in a file of PEM, where the zone's ssl is strict or origin_pull.\n"
       "From the first on, they alone are trusted, in place of those that the edge has.",
       {},
       add},
      {"origin-trust", "delete", "ZONE ID", 2, 2, "Trusts one of them no longer.", {}, remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
