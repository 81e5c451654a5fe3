// Where in a settings file something stands, for messages about it. Cold; control side and start
// only.
#pragma once

#include <fstream>
#include <optional>
#include <string>

namespace brink::base {

inline std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// "FILE, line N, " for the first line `name = value` of a file, `name` with its section as
// "port.mtu" if the file has sections; any value if none is given; else the first that has it as a
// part. "FILE, " when there is no such line, "" when `path` is empty: no file was read.
inline std::string place_of_setting(const std::string& path, const std::string& name,
                                    const std::optional<std::string>& value = std::nullopt) {
  if (path.empty()) return {};
  std::ifstream file(path);
  std::string section, place = path + ", ";
  bool is_found = false;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.size() > 2 && line.front() == '[' && line.back() == ']') {
      section = line.substr(1, line.size() - 2) + ".";
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || section + trimmed(line.substr(0, equals)) != name) continue;
    const std::string here = path + ", line " + std::to_string(number) + ", ";
    const std::string there = trimmed(line.substr(equals + 1));
    if (!value || there == *value) return here;
    if (!is_found && there.find(*value) != std::string::npos) {
      place = here;
      is_found = true;
    }
  }
  return place;
}

// Likewise for a line that is exactly `text`, apart from blanks and comments.
inline std::string place_of_line(const std::string& path, const std::string& text) {
  std::ifstream file(path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (trimmed(line.substr(0, line.find('#'))) != trimmed(text)) continue;
    return path + ", line " + std::to_string(number) + ", ";
  }
  return path + ", ";
}

}  // namespace brink::base
