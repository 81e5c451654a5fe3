// brinkctl origin-pull ...: the certificate by which the origins of a zone, or those of a single
// host, know the edge.
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

std::string certificates_path(const Json& zone, const Arguments& arguments) {
  return pulls_path(zone) + (arguments.has("hosts") ? "/hostnames/certificates" : "");
}

void print_host(Session& session, const Json& host) {
  if (session.json()) return print_json(host);
  const Json& enabled = host["enabled"];
  const std::string state = enabled.is_null() ? "as the zone" : enabled.get<bool>() ? "on" : "off";
  print("host      " + text_of(host, "hostname") + "\npulls     " + state + "\nid        " +
        text_of(host, "cert_id") + "\nissuer    " + text_of(host, "issuer") + "\nserial    " +
        text_of(host, "serial_number") + "\nexpires   " + text_of(host, "expires_on") +
        "\nupdated   " + text_of(host, "updated_at") + "\n");
}

// `enabled` null: the host follows the zone again.
void set_host(Session& session, const Arguments& arguments, const Json& enabled) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json host = {{"hostname", arguments.positional[1]}, {"enabled", enabled}};
  if (arguments.has("certificate")) host["cert_id"] = arguments.get("certificate");
  const Json result =
      session.call("PUT", pulls_path(zone) + "/hostnames", {{"config", Json::array({host})}});
  print_host(session, result.front());
}

void set_enabled(Session& session, const Arguments& arguments, bool enabled) {
  if (arguments.positional.size() > 1) return set_host(session, arguments, enabled);
  if (arguments.has("certificate")) {
    throw Stop(Exit::kUsage, "--certificate goes with a HOST; a zone shows its newest one");
  }
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

void follow(Session& session, const Arguments& arguments) {
  set_host(session, arguments, nullptr);
}

std::string certificates_table(const Json& certificates) {
  std::vector<Row> rows;
  for (const Json& each : certificates) {
    rows.push_back({text_of(each, "uploaded_on"), text_of(each, "expires_on"),
                    text_of(each, "issuer"), text_of(each, "id")});
  }
  return table({"UPLOADED", "EXPIRES", "ISSUER", "ID"}, rows);
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json certificates = session.call("GET", certificates_path(zone, arguments));
  if (arguments.has("hosts")) {
    return session.json() ? print_json(certificates) : print(certificates_table(certificates));
  }
  const Json settings = session.call("GET", pulls_path(zone) + "/settings");
  const bool enabled = settings.value("enabled", false);
  if (session.json()) {
    return print_json({{"enabled", enabled}, {"certificates", certificates}});
  }
  print("zone " + text_of(zone, "name") + ": authenticated origin pulls are " +
        (enabled ? "on" : "off") + "\n" + certificates_table(certificates));
}

void show(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  print_host(session, session.call("GET", pulls_path(zone) + "/hostnames/" +
                                              percent_encode(arguments.positional[1])));
}

void add(Session& session, const Arguments& arguments) {
  if (!arguments.has("key")) {
    throw Stop(Exit::kUsage, "name the file with the certificate's private key with --key");
  }
  // The files first: when they are wrong, nothing is asked.
  const Json body = {{"certificate", read_file(arguments.positional[1])},
                     {"private_key", read_key_file(arguments.get("key"))}};
  const Json zone = find_zone(session, arguments.positional[0]);
  print_certificate(session, session.call("POST", certificates_path(zone, arguments), body));
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json result = session.call(
      "DELETE", certificates_path(zone, arguments) + "/" + percent_encode(arguments.positional[1]));
  if (session.json()) return print_json(result);
  print("deleted certificate " + text_of(result, "id") + "\n");
}

}  // namespace

const std::vector<Command>& origin_pull_commands() {
  static const Option kHosts = {"hosts", "", "of those for single hosts"};
  static const Option kCertificate = {
      "certificate", "ID", "which one the host's origins are shown; else the one that it has"};
  static const std::vector<Command> kCommands = {
      {"origin-pull",
       "on",
       "ZONE [HOST]",
       1,
       2,
       "The origins of a zone are shown its newest certificate, those of a host its own.",
       {kCertificate},
       turn_on},
      {"origin-pull",
       "off",
       "ZONE [HOST]",
       1,
       2,
       "The origins of a zone, or of a host, are shown no certificate of its own.",
       {kCertificate},
       turn_off},
      {"origin-pull", "follow", "ZONE HOST", 2, 2, "A host does as its zone again.", {}, follow},
      {"origin-pull", "show", "ZONE HOST", 2, 2, "What a host has of its own.", {}, show},
      {"origin-pull",
       "list",
       "ZONE",
       1,
       1,
       "Whether origins are shown a certificate of the zone, and its certificates.",
       {kHosts},
       list},
      {"origin-pull",
       "add",
       "ZONE FILE",
       2,
       2,
       "Uploads a certificate to show to the origins of a zone, and its key.\n"
       "The key is sealed and never shown again.",
       {{"key", "FILE", "its private key in PEM, a file that not everybody can read"}, kHosts},
       add},
      {"origin-pull",
       "delete",
       "ZONE CERTIFICATE",
       2,
       2,
       "Deletes such a certificate, by its id, and its key.",
       {kHosts},
       remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
