// Help at every level, from the table of commands.
#include <algorithm>
#include <sstream>

#include "ctl/cli/command_table.h"

namespace brink::ctl::cli {
namespace {

constexpr std::size_t kLineMax = 96;

// `text` behind a column of `indent`, broken between words.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string out;
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    if (column + word.size() + 1 > kLineMax && column > indent) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string option_lines(const std::vector<Option>& options) {
  std::size_t width = 0;
  for (const Option& option : options) width = std::max(width, head_of(option).size() + 2);
  std::string out;
  for (const Option& option : options) {
    const std::string head = "  " + head_of(option);
    out += head + std::string(width - head.size() + 2, ' ') + wrapped(option.help, width + 2);
  }
  return out;
}

std::string exit_line() {
  std::string line;
  for (const auto& [code, meaning] : exit_meanings()) {
    line += (line.empty() ? "" : "; ") + std::to_string(static_cast<int>(code)) + " " + meaning;
  }
  return "exit codes: " + wrapped(line, 12);
}

std::string help_for_one(const Command& command) {
  std::string text =
      "usage: brinkctl " + synopsis(command) + "\n\n" + command.help + "\n\noptions:\n";
  if (!command.options.empty()) text += option_lines(command.options) + "\neverywhere:\n";
  return text;
}

}  // namespace

std::string help_for(const std::vector<const Command*>& commands) {
  std::string text;
  if (commands.size() == 1) {
    text = help_for_one(*commands.front());
  } else {
    text =
        "brinkctl: the operator's tool of a Brink node\n\n"
        "usage: brinkctl COMMAND [OPTION]...\n\n";
    std::size_t width = 0;
    for (const Command* command : commands) width = std::max(width, synopsis(*command).size());
    for (const Command* command : commands) {
      const std::string line = synopsis(*command);
      text += "  " + line + std::string(width - line.size() + 2, ' ') + summary(*command) + "\n";
    }
    text += "\nbrinkctl COMMAND --help tells more about one. Everywhere:\n";
  }
  return text + option_lines(common_options()) + "\n" + exit_line();
}

}  // namespace brink::ctl::cli
