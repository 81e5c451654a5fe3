// The command line: finding the command, its options, help at every level, and how it ends.
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {
namespace {

namespace po = boost::program_options;

constexpr char kDefaultSocket[] = "/run/brink/control.sock";

constexpr char kExitCodes[] =
    "exit codes: 0 done; 1 refused by the server; 2 wrong command line; 3 server not reachable;\n"
    "  4 no such zone or record; 5 stored, but it cannot be published; 6 local file unreadable\n";

std::vector<const Command*> all_commands() {
  std::vector<const Command*> all;
  for (const auto* table :
       {&zone_commands(), &record_commands(), &snapshot_commands(), &node_commands(),
        &token_commands(), &account_commands(), &log_commands()}) {
    for (const Command& command : *table) all.push_back(&command);
  }
  return all;
}

std::string name_of(const Command& command) {
  if (command.noun.empty()) return command.verb;
  return command.noun + " " + command.verb;
}

std::string synopsis(const Command& command) {
  return name_of(command) + (command.usage.empty() ? "" : " " + command.usage);
}

po::options_description options_of(const Command* command) {
  po::options_description options;
  auto add = options.add_options();
  if (command != nullptr) {
    for (const Option& option : command->options) {
      if (option.value.empty()) {
        add(option.name.c_str(), po::bool_switch(), option.help.c_str());
        continue;
      }
      auto* value = po::value<std::string>()->value_name(option.value);
      if (option.optional_value) value->implicit_value("on");
      add(option.name.c_str(), value, option.help.c_str());
    }
  }
  add("json", po::bool_switch(), "print the server's result as JSON");
  add("socket", po::value<std::string>()->value_name("PATH")->default_value(kDefaultSocket),
      "socket of brink-control");
  add("server", po::value<std::string>()->value_name("URL"),
      "brink-control on another host, as https://HOST:PORT, instead of the socket");
  add("token-file", po::value<std::string>()->value_name("FILE"),
      "file with the API token for it; else the environment's BRINK_TOKEN");
  add("ca", po::value<std::string>()->value_name("FILE"),
      "PEM file with the certificates that its own must lead to; else the system's");
  add("help,h", po::bool_switch(), "print help");
  return options;
}

// Help for all commands, those of one noun, or one.
std::string help_for(const std::vector<const Command*>& commands) {
  std::ostringstream text;
  const Command* single = commands.size() == 1 ? commands.front() : nullptr;
  if (single != nullptr) {
    text << "usage: brinkctl " << synopsis(*single) << "\n\n" << single->help << "\n\noptions:\n";
  } else {
    text << "brinkctl: the operator's tool of a Brink node\n\nusage: brinkctl COMMAND "
            "[OPTION]...\n\n";
    std::size_t width = 0;
    for (const Command* command : commands) width = std::max(width, synopsis(*command).size());
    for (const Command* command : commands) {
      const std::string line = synopsis(*command);
      const std::string first = command->help.substr(0, command->help.find('\n'));
      text << "  " << line << std::string(width - line.size() + 2, ' ') << first << "\n";
    }
    text << "\nbrinkctl COMMAND --help tells more about one. Everywhere:\n";
  }
  text << options_of(single) << "\n" << kExitCodes;
  return text.str();
}

bool wants_help(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

// Options may stand before the command: the words are the first two that are none. A value of
// an option that all commands have is not a word.
std::vector<std::size_t> word_positions(const std::vector<std::string>& arguments) {
  std::vector<std::size_t> words;
  for (std::size_t i = 0; i < arguments.size() && words.size() < 2; ++i) {
    if (arguments[i] == "--socket" || arguments[i] == "--server" ||
        arguments[i] == "--token-file" || arguments[i] == "--ca") {
      ++i;
    } else if (!arguments[i].starts_with("-")) {
      words.push_back(i);
    }
  }
  return words;
}

std::string token_of(const po::variables_map& values) {
  if (values.count("token-file") == 0) {
    const char* token = std::getenv("BRINK_TOKEN");
    return token == nullptr ? "" : token;
  }
  auto token = read_token_file(values["token-file"].as<std::string>());
  if (!token) throw Stop(Exit::kInputUnreadable, token.error().message());
  return std::move(token).value();
}

Connection connection_of(const po::variables_map& values) {
  Connection connection;
  connection.socket_path = values["socket"].as<std::string>();
  if (values.count("server") == 0) {
    for (const char* remote : {"token-file", "ca"}) {
      if (values.count(remote) != 0) {
        throw Stop(Exit::kUsage, std::string("--") + remote + " goes with --server");
      }
    }
    return connection;
  }
  auto server = parse_server(values["server"].as<std::string>());
  if (!server) throw Stop(Exit::kUsage, "--server: " + server.error().message());
  connection.server = std::move(server).value();
  connection.token = token_of(values);
  if (values.count("ca") != 0) connection.ca_file = values["ca"].as<std::string>();
  return connection;
}

Arguments parse(const Command& command, const std::vector<std::string>& words,
                Connection& connection) {
  po::options_description options = options_of(&command);
  options.add_options()("positional", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("positional", -1);
  po::variables_map values;
  try {
    po::store(po::command_line_parser(words).options(options).positional(positional).run(), values);
    po::notify(values);
  } catch (const po::error& error) {
    throw Stop(Exit::kUsage,
               std::string(error.what()) + "; see brinkctl " + name_of(command) + " --help");
  }
  Arguments arguments;
  if (values.count("positional") != 0) {
    arguments.positional = values["positional"].as<std::vector<std::string>>();
  }
  const std::size_t count = arguments.positional.size();
  if (count < command.positional_min || count > command.positional_max) {
    throw Stop(Exit::kUsage, "usage: brinkctl " + synopsis(command));
  }
  for (const Option& option : command.options) {
    if (values.count(option.name) == 0) continue;
    if (!option.value.empty()) {
      arguments.options[option.name] = values[option.name].as<std::string>();
    } else if (values[option.name].as<bool>()) {
      arguments.options[option.name] = "on";
    }
  }
  if (values["json"].as<bool>()) arguments.options["json"] = "on";
  connection = connection_of(values);
  return arguments;
}

int help(const std::vector<const Command*>& commands, bool asked) {
  const std::string text = help_for(commands);
  std::fputs(text.c_str(), asked ? stdout : stderr);
  return static_cast<int>(asked ? Exit::kOk : Exit::kUsage);
}

int run_command(const Command& command, const std::vector<std::string>& words) {
  Connection connection;
  const Arguments arguments = parse(command, words, connection);
  Session session(Client(std::move(connection)), arguments.has("json"));
  command.run(session, arguments);
  return static_cast<int>(session.outcome());
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const auto words = word_positions(arguments);
  const bool asked = wants_help(arguments);
  if (words.empty()) return help(all_commands(), asked);
  const std::string first = arguments[words[0]];
  const std::string second = words.size() > 1 ? arguments[words[1]] : "";
  std::vector<const Command*> of_noun;
  for (const Command* command : all_commands()) {
    const bool matches = command->noun.empty() ? command->verb == first
                                               : command->noun == first && command->verb == second;
    if (command->noun == first) of_noun.push_back(command);
    if (!matches) continue;
    if (asked) return help({command}, true);
    std::vector<std::string> rest = arguments;
    if (!command->noun.empty()) rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(words[1]));
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(words[0]));
    try {
      return run_command(*command, rest);
    } catch (const Stop& stop) {
      std::fprintf(stderr, "brinkctl: %s\n", stop.what());
      return static_cast<int>(stop.code);
    }
  }
  if (!of_noun.empty()) {
    if (!asked && !second.empty()) {
      std::fprintf(stderr, "brinkctl: there is no \"%s %s\"\n", first.c_str(), second.c_str());
    }
    return help(of_noun, asked);
  }
  std::fprintf(stderr, "brinkctl: there is no command \"%s\"; see brinkctl --help\n",
               first.c_str());
  return static_cast<int>(Exit::kUsage);
}

}  // namespace brink::ctl::cli
