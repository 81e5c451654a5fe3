// brinkctl origin-pull ...: the certificate by which a zone's origins know the edge.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string pulls_path(const Json& zone) {
  return zone_path(zone) + "/origin_tls_client_auth";
}

void print_certificate(Session& session, const Json& certificate) {
  if (session.json()) return print_json(certificate);
  print("id        " + text_of(certificate, "id") + "\nissuer    " +
        text_of(certificate, "issuer") + "\nserial    " + text_of(certificate, "serial_number") +
        "\nsigned    " + text_of(certificate, "signature") + "\nexpires   " +
        text_of(certificate, "expires_on") + "\nuploaded  " + text_of(certificate, "uploaded_on") +
        "\n");
}

void set_enabled(Session& session, const Arguments& arguments, bool enabled) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result = session.call("PUT", pulls_path(zone) + "/settings", {{"enabled", enabled}});
  if (session.json()) return print_json(result);
  print("zone " + text_of(zone, "name") + ": authenticated origin pulls are " +
        (result.value("enabled", false) ? "on" : "off") + "\n");
}

void turn_on(Session& session, const Arguments& arguments) {
  set_enabled(session, arguments, true);
}

void turn_off(Session& session, const Arguments& arguments) {
  set_enabled(session, arguments, false);
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json settings = session.call("GET", pulls_path(zone) + "/settings");
  const Json certificates = session.call("GET", pulls_path(zone));
  const bool enabled = settings.value("enabled", false);
  if (session.json()) {
    return print_json({{"enabled", enabled}, {"certificates", certificates}});
  }
  std::vector<Row> rows;
  for (const Json& each : certificates) {
    rows.push_back({text_of(each, "uploaded_on"), text_of(each, "expires_on"),
                    text_of(each, "issuer"), text_of(each, "id")});
  }
  print("zone " + text_of(zone, "name") + ": authenticated origin pulls are " +
        (enabled ? "on" : "off") + "\n" + table({"UPLOADED", "EXPIRES", "ISSUER", "ID"}, rows));
}

void add(Session& session, const Arguments& arguments) {
  if (!arguments.has("key")) {
    throw Stop(Exit::kUsage, "name the file with the certificate's private key with --key");
  }
  // The files first: when they are wrong, nothing is asked.
  const Json body = {{"certificate", read_file(arguments.positional[1])},
                     {"private_key", read_key_file(arguments.get("key"))}};
  const Json zone = find_zone(session, arguments.positional[0]);
  print_certificate(session, session.call("POST", pulls_path(zone), body));
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result =
      session.call("DELETE", pulls_path(zone) + "/" + percent_encode(arguments.positional[1]));
  if (session.json()) return print_json(result);
  print("deleted certificate " + text_of(result, "id") + "\n");
}

}  // namespace

const std::vector<Command>& origin_pull_commands() {
  static const std::vector<Command> kCommands = {
      {"origin-pull",
       "on",
       "ZONE",
       1,
       1,
       "The origins of a zone are shown its newest certificate.",
       {},
       turn_on},
      {"origin-pull",
       "off",
       "ZONE",
       1,
       1,
       "The origins of a zone are shown no certificate of its own.",
       {},
       turn_off},
      {"origin-pull",
       "list",
       "ZONE",
       1,
       1,
       "Whether origins are shown a certificate of the zone, and its certificates.",
       {},
       list},
      {"origin-pull",
       "add",
       "ZONE FILE",
       2,
       2,
       "Uploads a certificate to show to the origins of a zone, and its key.\n"
       "The key is sealed and never shown again.",
       {{"key", "FILE", "its private key in PEM, a file that not everybody can read"}},
       add},
      {"origin-pull",
       "delete",
       "ZONE CERTIFICATE",
       2,
       2,
       "Deletes such a certificate, by its id, and its key.",
       {},
       remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
