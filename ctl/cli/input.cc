#include "ctl/cli/input.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw Stop(Exit::kInputUnreadable, path + ": cannot be read; check the path");
  return text;
}

std::string zone_name_of(const std::string& path, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string directive, origin;
    words >> directive >> origin;
    if (directive != "$ORIGIN" || origin.empty()) continue;
    if (origin.size() > 1 && origin.ends_with('.')) origin.pop_back();
    return origin;
  }
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".zone")) name.resize(name.size() - 5);
  return name;
}

}  // namespace brink::ctl::cli
