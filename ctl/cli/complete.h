// What can stand at the end of a command line, from the table of commands and the server's names.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

struct Candidate {
  std::string text;  // the whole word
  std::string description;
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;  // a path: the shell knows better
};

// What is known of the line before its last word.
struct LineSoFar {
  const Command* command = nullptr;
  std::vector<std::string> positional;  // of the command
  std::map<std::string, std::string> options;
};

// Names of a kind (ZONE, NAME, ACCOUNT ...) that begin with `start`; nothing where nobody knows.
using Names = std::function<std::vector<std::string>(const std::string& kind,
                                                     const std::string& start, const LineSoFar&)>;

// `words`: behind "brinkctl"; the last one, perhaps empty, is being written.
Completion complete(const std::vector<std::string>& words, const Names& names);

// Asks the server, for two seconds at most; whatever goes wrong: no names.
std::vector<std::string> server_names(const std::string& kind, const std::string& start,
                                      const LineSoFar& line);

}  // namespace brink::ctl::cli
