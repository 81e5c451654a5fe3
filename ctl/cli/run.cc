// The command line: finding the command, its options, and how it ends.
#include <boost/program_options.hpp>
#include <cstdio>

#include "ctl/cli/command_table.h"
#include "ctl/cli/connection.h"

namespace brink::ctl::cli {
namespace {

namespace po = boost::program_options;

void add_option(po::options_description& options, const Option& option) {
  if (option.value.empty()) {
    options.add_options()(option.name.c_str(), po::bool_switch(), option.help.c_str());
    return;
  }
  auto* value = po::value<std::string>();
  if (option.optional_value) value->implicit_value("on");
  options.add_options()(option.name.c_str(), value, option.help.c_str());
}

po::options_description options_of(const Command& command) {
  po::options_description options;
  for (const Option& option : command.options) add_option(options, option);
  for (const Option& option : common_options()) add_option(options, option);
  return options;
}

bool wants_help(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

// Options may stand before the command: the words are the first two that are none. A value of
// an option that all commands have is not a word.
bool takes_next(const std::string& argument) {
  for (const Option& option : common_options()) {
    if (!option.value.empty() && argument == "--" + option.name) return true;
  }
  return false;
}

std::vector<std::size_t> word_positions(const std::vector<std::string>& arguments) {
  std::vector<std::size_t> words;
  for (std::size_t i = 0; i < arguments.size() && words.size() < 2; ++i) {
    if (takes_next(arguments[i])) {
      ++i;
    } else if (!arguments[i].starts_with("-")) {
      words.push_back(i);
    }
  }
  return words;
}

std::map<std::string, std::string> given(const po::variables_map& values,
                                         const std::vector<Option>& options) {
  std::map<std::string, std::string> found;
  for (const Option& option : options) {
    const std::string name = long_name(option);
    if (values.count(name) == 0) continue;
    if (!option.value.empty()) {
      found[name] = values[name].as<std::string>();
    } else if (values[name].as<bool>()) {
      found[name] = "on";
    }
  }
  return found;
}

Arguments parse(const Command& command, const std::vector<std::string>& words,
                Connection& connection) {
  po::options_description options = options_of(command);
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
  arguments.options = given(values, command.options);
  const auto common = given(values, common_options());
  if (common.count("json") != 0) arguments.options["json"] = "on";
  connection = connection_of(common);
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
