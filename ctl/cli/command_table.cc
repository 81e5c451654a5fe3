#include "ctl/cli/command_table.h"

#include <sstream>

namespace brink::ctl::cli {

const std::vector<const Command*>& all_commands() {
  static const std::vector<const Command*> kAll = [] {
    std::vector<const Command*> all;
    for (const auto* part : {&zone_commands(),
                             &record_commands(),
                             &snapshot_commands(),
                             &cookie_secret_commands(),
                             &resolver_commands(),
                             &node_commands(),
                             &token_commands(),
                             &account_commands(),
                             &certificate_commands(),
                             &authority_commands(),
                             &origin_pull_commands(),
                             &origin_trust_commands(),
                             &client_certificate_commands(),
                             &ruleset_commands(),
                             &dnssec_commands(),
                             &log_commands(),
                             &settings_commands(),
                             &check_commands(),
                             &top_commands(),
                             &completion_commands()}) {
      for (const Command& command : *part) all.push_back(&command);
    }
    return all;
  }();
  return kAll;
}

const std::vector<Option>& common_options() {
  static const std::vector<Option> kOptions = {
      {"json", "", "print the server's result as JSON"},
      {"socket", "PATH", std::string("socket of brink-control; else ") + kDefaultSocket},
      {"server", "URL", "brink-control on another host, as https://HOST:PORT, not the socket"},
      {"token-file", "FILE", "file with the API token for it; else the environment's BRINK_TOKEN"},
      {"ca", "FILE", "PEM file with the certificates that its own must lead to; else the system's"},
      {"help,h", "", "print help"},
  };
  return kOptions;
}

std::span<const ExitMeaning> exit_meanings() {
  static constexpr ExitMeaning kMeanings[] = {
      {Exit::kOk, "done"},
      {Exit::kRefused, "refused by the server, or a fault was found"},
      {Exit::kUsage, "wrong command line"},
      {Exit::kUnreachable, "server not reachable"},
      {Exit::kNotFound, "no such zone or record"},
      {Exit::kNotPublished, "stored, but it cannot be published"},
      {Exit::kInputUnreadable, "local file unreadable"},
  };
  return kMeanings;
}

std::span<const EnvironmentVariable> environment() {
  static constexpr EnvironmentVariable kVariables[] = {
      {"BRINK_TOKEN", "the API token, where --server is given and --token-file is not"},
      {"VISUAL, EDITOR", "the editor of zone edit; may carry arguments"},
      {"XDG_STATE_HOME",
       "below it, in brink/, lie open transactions; else in /var/lib/brink/brinkctl for root, in "
       "~/.local/state/brink for others"},
      {"TMPDIR", "where zone edit puts its file, mode 0600; else /tmp"},
      {"NO_COLOR", "not empty: no colours"},
  };
  return kVariables;
}

std::string long_name(const Option& option) {
  return option.name.substr(0, option.name.find(','));
}

std::string head_of(const Option& option) {
  const std::size_t comma = option.name.find(',');
  std::string head = comma == std::string::npos ? "" : "-" + option.name.substr(comma + 1) + ", ";
  head += "--" + long_name(option);
  if (option.value.empty()) return head;
  return head + (option.optional_value ? "[=" + option.value + "]" : " " + option.value);
}

std::string name_of(const Command& command) {
  if (command.noun.empty()) return command.verb;
  return command.noun + " " + command.verb;
}

std::string synopsis(const Command& command) {
  return name_of(command) + (command.usage.empty() ? "" : " " + command.usage);
}

std::string summary(const Command& command) {
  return command.help.substr(0, command.help.find('\n'));
}

std::vector<std::string> placeholders(const Command& command) {
  std::vector<std::string> words;
  std::istringstream stream(command.usage);
  for (std::string word; stream >> word;) {
    std::erase_if(word, [](char c) { return c == '[' || c == ']'; });
    words.push_back(word);
  }
  return words;
}

}  // namespace brink::ctl::cli
