#include "ctl/cli/complete.h"

#include <algorithm>

#include "ctl/cli/command_table.h"

namespace brink::ctl::cli {
namespace {

const Option* option_named(const std::string& name, const Command* command) {
  const auto in = [&](const std::vector<Option>& options) -> const Option* {
    for (const Option& option : options) {
      if (long_name(option) == name) return &option;
    }
    return nullptr;
  };
  const Option* found = command == nullptr ? nullptr : in(command->options);
  return found == nullptr ? in(common_options()) : found;
}

const Command* command_of(const std::vector<std::string>& words) {
  for (const Command* command : all_commands()) {
    const bool stands_alone = command->noun.empty();
    if (stands_alone ? !words.empty() && command->verb == words[0]
                     : words.size() > 1 && command->noun == words[0] && command->verb == words[1]) {
      return command;
    }
  }
  return nullptr;
}

// Reads the line word by word, the last one excluded.
class Line {
 public:
  explicit Line(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) take(words[i]);
  }

  [[nodiscard]] const LineSoFar& so_far() const { return line_; }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  // The option whose value comes next, or null.
  [[nodiscard]] const Option* waiting() const { return waiting_; }

 private:
  void take(const std::string& word) {
    if (waiting_ != nullptr) {
      line_.options[long_name(*waiting_)] = word;
      waiting_ = nullptr;
    } else if (word.starts_with("--")) {
      take_option(word.substr(2));
    } else if (!word.starts_with("-")) {
      take_word(word);
    }
  }

  void take_option(const std::string& text) {
    const std::size_t equals = text.find('=');
    const Option* option = option_named(text.substr(0, equals), line_.command);
    if (option == nullptr) return;
    if (equals != std::string::npos) {
      line_.options[long_name(*option)] = text.substr(equals + 1);
    } else if (!option->value.empty() && !option->optional_value) {
      waiting_ = option;
    }
  }

  void take_word(const std::string& word) {
    if (line_.command != nullptr) return line_.positional.push_back(word);
    words_.push_back(word);
    line_.command = command_of(words_);
  }

  LineSoFar line_;
  std::vector<std::string> words_;
  const Option* waiting_ = nullptr;
};

class Completer {
 public:
  Completer(const Line& line, std::string current, const Names& names)
      : line_(line), current_(std::move(current)), names_(names) {}

  Completion run() {
    const std::size_t equals = current_.find('=');
    if (line_.waiting() != nullptr) {
      add_values(line_.waiting()->value, "");
    } else if (current_.starts_with("--") && equals != std::string::npos) {
      const Option* option = option_named(current_.substr(2, equals - 2), line_.so_far().command);
      if (option != nullptr) add_values(option->value, current_.substr(0, equals + 1));
    } else if (current_.starts_with("-")) {
      add_options();
    } else if (line_.so_far().command == nullptr) {
      add_commands();
    } else {
      const auto wanted = placeholders(*line_.so_far().command);
      const std::size_t position = line_.so_far().positional.size();
      if (position < wanted.size()) {
        add_values(wanted[position], "");
      } else if (!wanted.empty() && wanted.back().ends_with("...")) {
        add_values(wanted.back(), "");
      }
    }
    return std::move(completion_);
  }

 private:
  void add(const std::string& text, const std::string& description) {
    if (!text.starts_with(current_)) return;
    for (const Candidate& known : completion_.candidates) {
      if (known.text == text) return;
    }
    completion_.candidates.push_back({text, description});
  }

  // What "on|off", ZONE or FILE stands for, behind `prefix`.
  void add_values(std::string kind, const std::string& prefix) {
    if (kind.ends_with("...")) kind.resize(kind.size() - 3);
    if (kind == "FILE" || kind == "PATH") {
      completion_.files = true;
      return;
    }
    if (kind.find('|') == std::string::npos) {
      const std::string start = current_.substr(prefix.size());
      for (const std::string& name : names_(kind, start, line_.so_far())) add(prefix + name, "");
      return;
    }
    for (std::size_t start = 0; start <= kind.size();) {
      const std::size_t end = std::min(kind.find('|', start), kind.size());
      add(prefix + kind.substr(start, end - start), "");
      start = end + 1;
    }
  }

  void add_options() {
    const auto add_all = [&](const std::vector<Option>& options) {
      for (const Option& option : options) add("--" + long_name(option), option.help);
    };
    if (line_.so_far().command != nullptr) add_all(line_.so_far().command->options);
    add_all(common_options());
  }

  void add_commands() {
    const auto& words = line_.words();
    if (words.size() > 1) return;
    for (const Command* command : all_commands()) {
      if (words.size() == 1) {
        if (command->noun == words[0]) add(command->verb, summary(*command));
      } else if (command->noun.empty()) {
        add(command->verb, summary(*command));
      } else {
        add(command->noun, verbs_of(command->noun));
      }
    }
  }

  static std::string verbs_of(const std::string& noun) {
    std::string verbs;
    for (const Command* command : all_commands()) {
      if (command->noun == noun) verbs += (verbs.empty() ? "" : ", ") + command->verb;
    }
    return verbs;
  }

  const Line& line_;
  const std::string current_;
  const Names& names_;
  Completion completion_;
};

}  // namespace

Completion complete(const std::vector<std::string>& words, const Names& names) {
  const Line line(words);
  return Completer(line, words.empty() ? "" : words.back(), names).run();
}

}  // namespace brink::ctl::cli
