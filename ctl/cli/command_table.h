// The table of commands: what parsing, help, the manual page and completion are made from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

// Every command, in the order of the help.
const std::vector<const Command*>& all_commands();

// Options that every command has. "help,h" has a short form.
const std::vector<Option>& common_options();

struct ExitMeaning {
  Exit code;
  const char* meaning;
};
std::span<const ExitMeaning> exit_meanings();

struct EnvironmentVariable {
  const char* name;
  const char* meaning;
};
std::span<const EnvironmentVariable> environment();

inline constexpr char kDefaultSocket[] = "/run/brink/control.sock";

// "interval" of "interval,i".
std::string long_name(const Option& option);
// "-i, --interval SECONDS", "--proxied[=on|off]".
std::string head_of(const Option& option);
// "record set".
std::string name_of(const Command& command);
// "record set NAME TYPE [CONTENT]".
std::string synopsis(const Command& command);
// The first line of its help.
std::string summary(const Command& command);
// What each positional argument is, without brackets: {"NAME", "TYPE", "CONTENT"}.
std::vector<std::string> placeholders(const Command& command);

// Help for these commands: all, those of a noun, or one.
std::string help_for(const std::vector<const Command*>& commands);

}  // namespace brink::ctl::cli
