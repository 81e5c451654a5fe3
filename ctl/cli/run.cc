// The command line: finding the command, its options, help at every level, and how it ends.
#include <boost/program_options.hpp>
#include <cstdio>
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
  for (const auto* table : {&zone_commands(), &record_commands(), &snapshot_commands(),
                            &resolver_commands(), &node_commands()}) {
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
// --socket is not a word.
std::vector<std::size_t> word_positions(const std::vector<std::string>& arguments) {
  std::vector<std::size_t> words;
  for (std::size_t i = 0; i < arguments.size() && words.size() < 2; ++i) {
    if (arguments[i] == "--socket") {
      ++i;
    } else if (!arguments[i].starts_with("-")) {
      words.push_back(i);
    }
  }
  return words;
}

Arguments parse(const Command& command, const std::vector<std::string>& words,
                std::string& socket) {
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
  socket = values["socket"].as<std::string>();
  return arguments;
}

int help(const std::vector<const Command*>& commands, bool asked) {
  const std::string text = help_for(commands);
  std::fputs(text.c_str(), asked ? stdout : stderr);
  return static_cast<int>(asked ? Exit::kOk : Exit::kUsage);
}

int run_command(const Command& command, const std::vector<std::string>& words) {
  std::string socket;
  const Arguments arguments = parse(command, words, socket);
  Session session(Client(socket), arguments.has("json"));
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
