// brinkctl cookie-secret ...
#include <algorithm>
#include <cctype>

#include "ctl/cli/input.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr char kTarget[] = "/brink/v1/cookie-secrets";

void print_report(Session& session, const Json& result) {
  session.json() ? print_json(result) : print(text_of(result, "report") + "\n");
}

void show(Session& session, const Arguments&) {
  print_report(session, session.call("GET", kTarget));
}

void step(Session& session, const Json& wanted) {
  print_report(session, session.call("POST", kTarget, wanted));
}

void reload(Session& session, const Arguments&) {
  step(session, {{"step", "reload"}});
}

// Not as an argument: those are for everybody on the machine to read.
void add(Session& session, const Arguments& arguments) {
  const std::string& path = arguments.positional[0];
  std::string secret = read_file(path == "-" ? "/dev/stdin" : path);
  std::erase_if(secret, [](unsigned char c) { return std::isspace(c) != 0; });
  step(session, {{"step", "add"}, {"secret", secret}});
}

void activate(Session& session, const Arguments&) {
  step(session, {{"step", "activate"}});
}

void drop(Session& session, const Arguments&) {
  step(session, {{"step", "drop"}});
}

}  // namespace

const std::vector<Command>& cookie_secret_commands() {
  static const std::vector<Command> kCommands = {
      {"cookie-secret",
       "show",
       "",
       0,
       0,
       "Which secrets of DNS cookies brink-edge has, by marks that tell nothing of them.\n"
       "Nodes with the same addresses must show the same marks in the same order.",
       {},
       show},
      {"cookie-secret",
       "reload",
       "",
       0,
       0,
       "Has brink-edge read dns.cookie-secret-file again.\n"
       "If something is wrong with the file, the secrets stay as they are.",
       {},
       reload},
      {"cookie-secret",
       "add",
       "FILE",
       1,
       1,
       "First step of a rollover: one more secret is taken.\n"
       "FILE has 32 hexadecimal digits; - reads them from standard input, as of openssl rand -hex "
       "16.",
       {},
       add},
      {"cookie-secret",
       "activate",
       "",
       0,
       0,
       "Second step, once every node took the first: the secret added last makes cookies.",
       {},
       activate},
      {"cookie-secret",
       "drop",
       "",
       0,
       0,
       "Last step, an hour after the second on every node: the old secret is not taken any more.",
       {},
       drop},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
