// Command: one verb of brinkctl as data. Parsing and help are made from the table of all commands.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ctl/cli/client.h"

namespace brink::ctl::cli {

// Stable; documented in the help text.
enum class Exit : int {
  kOk = 0,
  kRefused = 1,         // by the server, with a reason
  kUsage = 2,           // the command line is wrong
  kUnreachable = 3,     // no server at the socket, or none that can be trusted
  kNotFound = 4,        // no such zone or record
  kNotPublished = 5,    // stored, but it cannot be published: an operator has to look
  kInputUnreadable = 6  // a local file cannot be read or written
};

// Ends a command with a message and an exit code.
struct Stop : std::runtime_error {
  Stop(Exit code_, const std::string& message) : std::runtime_error(message), code(code_) {}
  Exit code;
};

struct Option {
  std::string name;   // without the dashes
  std::string value;  // what its value is, as ZONE, FILE or on|off; empty = a flag
  std::string help;
  bool optional_value = false;  // `--proxied` alone means `--proxied=on`
};

struct Arguments {
  std::vector<std::string> positional;
  std::map<std::string, std::string> options;  // flags have the value "on"

  [[nodiscard]] bool has(const std::string& name) const { return options.count(name) != 0; }
  [[nodiscard]] std::string get(const std::string& name, const std::string& otherwise = {}) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  }
};

// What a running command has.
class Session {
 public:
  Session(Client client, bool json) : client_(std::move(client)), json_(json) {}

  [[nodiscard]] bool json() const { return json_; }
  // Its socket or URL.
  [[nodiscard]] std::string server_name() const { return client_.connection().name(); }
  // Calls the API; throws Stop unless the answer is a success. Messages of the server go to stderr.
  Json call(const std::string& method, const std::string& target, const Json& body = nullptr);
  Response call_raw(const std::string& method, const std::string& target, std::string body = {},
                    const std::string& content_type = {}, const Sent& sent = {});
  // All pages of a list.
  Json list(const std::string& target);
  // kNotPublished when some answer said so, else kOk.
  [[nodiscard]] Exit outcome() const { return outcome_; }

 private:
  Client client_;
  bool json_;
  Exit outcome_ = Exit::kOk;
};

struct Command {
  std::string noun;  // empty for a verb that stands alone
  std::string verb;
  std::string usage;  // the positional arguments, as "ZONE [FILE]"; completion knows such words
  std::size_t positional_min;
  std::size_t positional_max;
  std::string help;
  std::vector<Option> options;
  void (*run)(Session&, const Arguments&);
};

// Part by part; command_table.h has all of them.

const std::vector<Command>& zone_commands();
const std::vector<Command>& record_commands();
const std::vector<Command>& snapshot_commands();
const std::vector<Command>& cookie_secret_commands();
const std::vector<Command>& resolver_commands();
const std::vector<Command>& node_commands();
const std::vector<Command>& token_commands();
const std::vector<Command>& account_commands();  // and of users
const std::vector<Command>& certificate_commands();
const std::vector<Command>& authority_commands();
const std::vector<Command>& origin_pull_commands();
const std::vector<Command>& origin_trust_commands();
const std::vector<Command>& client_certificate_commands();
const std::vector<Command>& ruleset_commands();
const std::vector<Command>& dnssec_commands();
const std::vector<Command>& log_commands();
const std::vector<Command>& completion_commands();
const std::vector<Command>& settings_commands();
const std::vector<Command>& check_commands();
const std::vector<Command>& top_commands();

// Runs brinkctl; returns its exit code.
int run(const std::vector<std::string>& arguments);

}  // namespace brink::ctl::cli
