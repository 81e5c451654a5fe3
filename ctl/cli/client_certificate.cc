// brinkctl client-certificate ...: what the account's own authority issues to the clients of a
// zone.
#include <charconv>

#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr std::uint32_t kDaysOtherwise = 365;

std::string clients_path(const Json& zone) {
  return zone_path(zone) + "/client_certificates";
}

std::string client_path(Session& session, const Arguments& arguments) {
  return clients_path(find_zone(session, arguments.positional[0])) + "/" +
         percent_encode(arguments.positional[1]);
}

std::uint32_t days_of(const Arguments& arguments) {
  if (!arguments.has("days")) return kDaysOtherwise;
  const std::string text = arguments.get("days");
  std::uint32_t days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error == std::errc() && end == text.data() + text.size()) return days;
  throw Stop(Exit::kUsage, "--days=" + text + " is not a number of days");
}

void print_client(Session& session, const Json& client) {
  if (session.json()) return print_json(client);
  print("id        " + text_of(client, "id") + "\nname      " + text_of(client, "common_name") +
        "\nstatus    " + text_of(client, "status") + "\nserial    " +
        text_of(client, "serial_number") + "\nsha-256   " + text_of(client, "fingerprint_sha256") +
        "\nissued    " + text_of(client, "issued_on") + "\nexpires   " +
        text_of(client, "expires_on") + "\n");
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string status =
      arguments.has("status") ? "?status=" + percent_encode(arguments.get("status")) : "";
  const Json clients = session.list(clients_path(zone) + status);
  if (session.json()) return print_json(clients);
  std::vector<Row> rows;
  for (const Json& each : clients) {
    rows.push_back({text_of(each, "id"), text_of(each, "status"), text_of(each, "expires_on"),
                    text_of(each, "common_name")});
  }
  print(table({"ID", "STATUS", "EXPIRES", "NAME"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const Json client = session.call("GET", client_path(session, arguments));
  if (!session.json() && arguments.has("pem")) return print(text_of(client, "certificate"));
  print_client(session, client);
}

// The certificate goes to standard output, alone, so that it can be written into a file.
void issue(Session& session, const Arguments& arguments) {
  const Json body = {{"csr", read_file(arguments.positional[1])},
                     {"validity_days", days_of(arguments)}};
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json client = session.call("POST", clients_path(zone), body);
  if (session.json()) return print_json(client);
  print(text_of(client, "certificate"));
}

void revoke(Session& session, const Arguments& arguments) {
  print_client(session, session.call("DELETE", client_path(session, arguments)));
}

void reactivate(Session& session, const Arguments& arguments) {
  print_client(session,
               session.call("PATCH", client_path(session, arguments), {{"reactivate", true}}));
}

}  // namespace

const std::vector<Command>& client_certificate_commands() {
  static const std::vector<Command> kCommands = {
      {"client-certificate",
       "list",
       "ZONE",
       1,
       1,
       "The certificates that were issued to clients of a zone.",
       {{"status", "active|revoked|all", "only these; else all"}},
       list},
      {"client-certificate",
       "show",
       "ZONE CERTIFICATE",
       2,
       2,
       "One of them, by its id.",
       {{"pem", "", "the certificate itself"}},
       show},
      {"client-certificate",
       "issue",
       "ZONE FILE",
       2,
       2,
       "Issues a certificate for the request (CSR, PEM) in a file and prints it.\n"
       "The client keeps its key. Which hosts ask for such certificates: see ca hosts.",
       {{"days", "NUMBER", "how long it is good; else 365"}},
       issue},
      {"client-certificate",
       "revoke",
       "ZONE CERTIFICATE",
       2,
       2,
       "A certificate counts no more.",
       {},
       revoke},
      {"client-certificate",
       "reactivate",
       "ZONE CERTIFICATE",
       2,
       2,
       "A revoked certificate counts again.",
       {},
       reactivate},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
