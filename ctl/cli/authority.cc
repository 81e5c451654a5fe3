// brinkctl ca ...: authorities whose client certificates are trusted, and by which hosts.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr std::size_t kHostsMax = 1000;  // of one call

std::string authorities_path(const std::string& account_id) {
  return "/client/v4/accounts/" + account_id + "/mtls_certificates";
}

std::string authorities_path(Session& session, const Arguments& arguments) {
  return authorities_path(text_of(find_account(session, arguments), "id"));
}

// The same place holds leaves, which nothing here is about.
Json list_authorities(Session& session, const std::string& path) {
  Json authorities = Json::array();
  for (const Json& each : session.list(path)) {
    if (each.value("ca", false)) authorities.push_back(each);
  }
  return authorities;
}

// By id or name.
Json find_authority(Session& session, const std::string& path, const std::string& wanted) {
  Json found;
  for (const Json& authority : list_authorities(session, path)) {
    if (text_of(authority, "id") == wanted) return authority;
    if (text_of(authority, "name") != wanted) continue;
    if (!found.is_null()) {
      throw Stop(Exit::kUsage, "several authorities are called \"" + wanted +
                                   "\": write the id, see brinkctl ca list");
    }
    found = authority;
  }
  if (found.is_null()) {
    throw Stop(Exit::kNotFound, "there is no authority \"" + wanted + "\"; see brinkctl ca list");
  }
  return found;
}

void print_authority(Session& session, const Json& authority) {
  if (session.json()) return print_json(authority);
  print("name      " + text_of(authority, "name") + "\nid        " + text_of(authority, "id") +
        "\nissuer    " + text_of(authority, "issuer") + "\nserial    " +
        text_of(authority, "serial_number") + "\nexpires   " + text_of(authority, "expires_on") +
        "\nuploaded  " + text_of(authority, "uploaded_on") + "\n");
}

void list(Session& session, const Arguments& arguments) {
  const Json authorities = list_authorities(session, authorities_path(session, arguments));
  if (session.json()) return print_json(authorities);
  std::vector<Row> rows;
  for (const Json& each : authorities) {
    rows.push_back({text_of(each, "name"), text_of(each, "expires_on"), text_of(each, "issuer"),
                    text_of(each, "id")});
  }
  print(table({"NAME", "EXPIRES", "ISSUER", "ID"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const std::string path = authorities_path(session, arguments);
  const std::string one =
      path + "/" + text_of(find_authority(session, path, arguments.positional[0]), "id");
  const Json authority = session.call("GET", one);
  if (session.json()) return print_json(authority);
  if (arguments.has("pem")) return print(text_of(authority, "certificates"));
  print_authority(session, authority);
  for (const Json& use : session.call("GET", one + "/associations")) {
    print("used by   " + text_of(use, "service") + "\n");
  }
}

void add(Session& session, const Arguments& arguments) {
  const Json body = {{"ca", true},
                     {"name", arguments.positional[0]},
                     {"certificates", read_file(arguments.positional[1])}};
  print_authority(session, session.call("POST", authorities_path(session, arguments), body));
}

void remove(Session& session, const Arguments& arguments) {
  const std::string path = authorities_path(session, arguments);
  const Json found = find_authority(session, path, arguments.positional[0]);
  const Json result = session.call("DELETE", path + "/" + text_of(found, "id"));
  if (session.json()) return print_json(result);
  print("deleted authority " + text_of(found, "name") + "\n");
}

void hosts(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json names(arguments.positional);
  names.erase(0);
  if (arguments.has("none") && !names.empty()) {
    throw Stop(Exit::kUsage, "either name hosts or say --none");
  }
  Json body = {{"hostnames", names}};
  std::string target = zone_path(zone) + "/certificate_authorities/hostname_associations";
  if (arguments.has("authority")) {
    const std::string path = authorities_path(text_of(zone["account"], "id"));
    const std::string id = text_of(find_authority(session, path, arguments.get("authority")), "id");
    body["mtls_certificate_id"] = id;
    target += "?mtls_certificate_id=" + id;
  }
  const bool changes = arguments.has("none") || !names.empty();
  const Json result = changes ? session.call("PUT", target, body) : session.call("GET", target);
  if (session.json()) return print_json(result);
  for (const Json& host : result["hostnames"]) print(host.get<std::string>() + "\n");
}

void print_forwards(Session& session, const Json& settings) {
  if (session.json()) return print_json(settings);
  std::vector<Row> rows;
  for (const Json& each : settings) {
    rows.push_back({text_of(each, "hostname"),
                    each.value("client_certificate_forwarding", false) ? "yes" : "no"});
  }
  print(table({"HOST", "FORWARDED"}, rows));
}

void forward(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string path = zone_path(zone) + "/access/certificates/settings";
  if (arguments.positional.size() == 1) {
    if (arguments.has("off")) throw Stop(Exit::kUsage, "--off goes with hosts");
    return print_forwards(session, session.call("GET", path));
  }
  Json settings = Json::array();
  for (std::size_t i = 1; i < arguments.positional.size(); ++i) {
    settings.push_back({{"hostname", arguments.positional[i]},
                        {"client_certificate_forwarding", !arguments.has("off")}});
  }
  print_forwards(session, session.call("PUT", path, {{"settings", settings}}));
}

}  // namespace

const std::vector<Command>& authority_commands() {
  static const Option kAccount = {"account", "ACCOUNT", "name or id, when there are several"};
  static const std::vector<Command> kCommands = {
      {"ca",
       "list",
       "",
       0,
       0,
       "The authorities of an account, whose client certificates can be trusted.",
       {kAccount},
       list},
      {"ca",
       "show",
       "CA",
       1,
       1,
       "One authority, by name or id, and what uses it.",
       {kAccount, {"pem", "", "its certificate itself"}},
       show},
      {"ca",
       "add",
       "NAME FILE",
       2,
       2,
       "Uploads the certificate of an authority in PEM, without its key.",
       {kAccount},
       add},
      {"ca",
       "delete",
       "CA",
       1,
       1,
       "Deletes an authority, by name or id, that no host asks for.",
       {kAccount},
       remove},
      {"ca",
       "hosts",
       "ZONE [HOST]...",
       1,
       1 + kHostsMax,
       "Which hosts of a zone ask their clients for a certificate of an authority.\n"
       "With hosts: these and no others do so from now on.",
       {{"authority", "CA", "name or id; else the account's own, which issues for this node"},
        {"none", "", "no host asks any more"}},
       hosts},
      {"ca",
       "forward",
       "ZONE [HOST]...",
       1,
       1 + kHostsMax,
       "Which hosts tell their origins of the certificate that a client has shown.\n"
       "With hosts, also wildcards: these do so from now on; the others stay as they are.",
       {{"off", "", "these no longer do"}},
       forward},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
