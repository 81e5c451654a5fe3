// brinkctl resolver ...
#include "ctl/cli/command.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::string joined(const Json& texts) {
  std::string line;
  for (const Json& text : texts) line += (line.empty() ? "" : " ") + text.get<std::string>();
  return line.empty() ? "-" : line;
}

void show(Session& session, const Arguments&) {
  const Json status = session.call("GET", "/brink/v1/resolver");
  if (session.json()) return print_json(status);
  std::vector<Row> rows;
  for (const Json& name : status["names"]) {
    rows.push_back({text_of(name, "name"), text_of(name, "state"), joined(name["addresses"]),
                    joined(name["refused"]), text_of(name, "problem")});
  }
  print(table({"NAME", "STATE", "ADDRESSES", "REFUSED", "PROBLEM"}, rows));
  std::string counters;
  for (const auto& [key, value] : status["counters"].items()) {
    counters += (counters.empty() ? "" : ", ") + key + " " + value.dump();
  }
  print("\n" + counters + "\n");
}

}  // namespace

const std::vector<Command>& resolver_commands() {
  static const std::vector<Command> kCommands = {
      {"resolver",
       "show",
       "",
       0,
       0,
       "Names outside the served zones that records lead to, and their addresses.\n"
       "REFUSED are addresses that are not public; setting origin-allow admits them.",
       {},
       show},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
