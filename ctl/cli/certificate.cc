// brinkctl certificate ...: certificates with keys that a zone's clients are shown.
#include <algorithm>
#include <charconv>
#include <map>

#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string certificates_path(const Json& zone) {
  return zone_path(zone) + "/custom_certificates";
}

std::string hosts_of(const Json& certificate) {
  std::string text;
  for (const Json& host : certificate["hosts"]) {
    text += (text.empty() ? "" : ", ") + host.get<std::string>();
  }
  return text;
}

bool has_host(const Json& certificate, const std::string& host) {
  const Json& hosts = certificate["hosts"];
  return std::find(hosts.begin(), hosts.end(), Json(host)) != hosts.end();
}

// By id, or by a host that no other certificate of the zone has.
Json find_certificate(Session& session, const Json& zone, const std::string& wanted) {
  Json found;
  for (const Json& certificate : session.list(certificates_path(zone))) {
    if (text_of(certificate, "id") == wanted) return certificate;
    if (!has_host(certificate, wanted)) continue;
    if (!found.is_null()) {
      throw Stop(Exit::kUsage, "several certificates have the host \"" + wanted +
                                   "\": write the id, see brinkctl certificate list " +
                                   text_of(zone, "name"));
    }
    found = certificate;
  }
  if (found.is_null()) {
    throw Stop(Exit::kNotFound, "zone " + text_of(zone, "name") + " has no certificate \"" +
                                    wanted + "\"; see brinkctl certificate list");
  }
  return found;
}

// The state of OCSP stapling, by certificate id.
std::map<std::string, Json> staplings_of(Session& session, const Json& zone) {
  std::map<std::string, Json> staplings;
  for (const Json& each :
       session.call("GET", "/brink/v1/zones/" + text_of(zone, "id") + "/stapling")) {
    staplings.emplace(text_of(each, "certificate_id"), each);
  }
  return staplings;
}

// A word of a list: "good", "-" where nobody is to be asked, and "!" behind what clients will not
// take.
std::string staple_word(const Json& stapling) {
  const std::string status = text_of(stapling, "status");
  const bool is_shown = status == "good";
  const bool is_wanted = stapling.value("must_staple", false);
  const std::string mark = status == "revoked" || (is_wanted && !is_shown) ? "!" : "";
  return (status == "none" ? "-" : status) + mark;
}

void print_stapling(const Json& stapling) {
  std::string text = "stapling  " + staple_word(stapling);
  if (!stapling["next_update"].is_null()) text += ", until " + text_of(stapling, "next_update");
  if (stapling.value("must_staple", false)) text += ", clients insist on it (must-staple)";
  if (const std::string url = text_of(stapling, "responder"); !url.empty()) {
    text += "\nresponder " + url;
  }
  if (const std::string problem = text_of(stapling, "problem"); !problem.empty()) {
    text += "\nproblem   " + problem;
  }
  print(text + "\n");
}

void print_certificate(Session& session, const Json& certificate) {
  if (session.json()) return print_json(certificate);
  print("id        " + text_of(certificate, "id") + "\nhosts     " + hosts_of(certificate) +
        "\nstatus    " + text_of(certificate, "status") + "\nexpires   " +
        text_of(certificate, "expires_on") + "\nissuer    " + text_of(certificate, "issuer") +
        "\nsigned    " + text_of(certificate, "signature") + "\ntype      " +
        text_of(certificate, "type") + "\nbundle    " + text_of(certificate, "bundle_method") +
        "\npriority  " + text_of(certificate, "priority") + "\nuploaded  " +
        text_of(certificate, "uploaded_on") + "\nmodified  " + text_of(certificate, "modified_on") +
        "\n");
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json certificates = session.list(certificates_path(zone));
  const auto staplings = staplings_of(session, zone);
  std::vector<Row> rows;
  for (Json& each : certificates) {
    const auto stapling = staplings.find(text_of(each, "id"));
    if (stapling != staplings.end()) each["stapling"] = stapling->second;
    rows.push_back({text_of(each, "id"), text_of(each, "status"), text_of(each, "expires_on"),
                    stapling == staplings.end() ? "-" : staple_word(stapling->second),
                    text_of(each, "issuer"), hosts_of(each)});
  }
  if (session.json()) return print_json(certificates);
  print(table({"ID", "STATUS", "EXPIRES", "STAPLING", "ISSUER", "HOSTS"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  Json certificate = find_certificate(session, zone, arguments.positional[1]);
  const auto staplings = staplings_of(session, zone);
  const auto stapling = staplings.find(text_of(certificate, "id"));
  if (stapling == staplings.end()) return print_certificate(session, certificate);
  if (session.json()) certificate["stapling"] = stapling->second;
  print_certificate(session, certificate);
  if (!session.json()) print_stapling(stapling->second);
}

// Files are read before anything is asked.
Json wanted_certificate(const Arguments& arguments, const std::string& path) {
  Json body = {{"certificate", read_file(path)}};
  if (arguments.has("key")) body["private_key"] = read_key_file(arguments.get("key"));
  if (arguments.has("bundle")) body["bundle_method"] = arguments.get("bundle");
  if (arguments.has("type")) body["type"] = arguments.get("type");
  return body;
}

void add(Session& session, const Arguments& arguments) {
  if (!arguments.has("key")) {
    throw Stop(Exit::kUsage, "name the file with the certificate's private key with --key");
  }
  const Json body = wanted_certificate(arguments, arguments.positional[1]);
  const Json zone = find_zone(session, arguments.positional[0]);
  print_certificate(session, session.call("POST", certificates_path(zone), body));
}

void replace(Session& session, const Arguments& arguments) {
  const Json body = wanted_certificate(arguments, arguments.positional[2]);
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json found = find_certificate(session, zone, arguments.positional[1]);
  print_certificate(
      session, session.call("PATCH", certificates_path(zone) + "/" + text_of(found, "id"), body));
}

void remove(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json found = find_certificate(session, zone, arguments.positional[1]);
  const Json result = session.call("DELETE", certificates_path(zone) + "/" + text_of(found, "id"));
  if (session.json()) return print_json(result);
  print("deleted certificate " + text_of(found, "id") + " of " + hosts_of(found) + "\n");
}

void prioritize(Session& session, const Arguments& arguments) {
  const std::string& text = arguments.positional[2];
  std::uint32_t priority = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), priority);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Stop(Exit::kUsage, "\"" + text + "\" is no priority; write a number, the higher wins");
  }
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string id = text_of(find_certificate(session, zone, arguments.positional[1]), "id");
  session.call("PUT", certificates_path(zone) + "/prioritize",
               {{"certificates", Json::array({{{"id", id}, {"priority", priority}}})}});
  print_certificate(session, find_certificate(session, zone, id));
}

}  // namespace

const std::vector<Command>& certificate_commands() {
  static const Option kBundle = {"bundle", "ubiquitous|optimal|force",
                                 "put the chain in order, without the root, or take it as it is"};
  static const Option kType = {"type", "legacy_custom|sni_custom",
                               "for clients without SNI too, or not"};
  static const std::vector<Command> kCommands = {
      {"certificate", "list", "ZONE", 1, 1, "The custom certificates of a zone.", {}, list},
      {"certificate",
       "show",
       "ZONE CERTIFICATE",
       2,
       2,
       "One certificate, by id or by a host that only it has.",
       {},
       show},
      {"certificate",
       "add",
       "ZONE FILE",
       2,
       2,
       "Uploads a certificate, with the intermediates behind it in the file, and its key.\n"
       "Its hosts must lie in the zone. The key is sealed and never shown again.",
       {{"key", "FILE", "its private key in PEM, a file that not everybody can read"},
        kBundle,
        kType},
       add},
      {"certificate",
       "replace",
       "ZONE CERTIFICATE FILE",
       3,
       3,
       "Puts another certificate in the place of one, whose id stays.\n"
       "Without --key it goes with the key that is there.",
       {{"key", "FILE", "its private key in PEM, a file that not everybody can read"},
        kBundle,
        kType},
       replace},
      {"certificate",
       "prioritize",
       "ZONE CERTIFICATE NUMBER",
       3,
       3,
       "Which certificate is shown where several have the host: that with the higher number.",
       {},
       prioritize},
      {"certificate",
       "delete",
       "ZONE CERTIFICATE",
       2,
       2,
       "Deletes a certificate and its key.",
       {},
       remove},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
