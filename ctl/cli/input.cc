#include "ctl/cli/input.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

std::string read_file(const std::string& path) {
  constexpr std::size_t kPartSize = 256 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::error_code no_file;
  const auto size = std::filesystem::file_size(path, no_file);
  std::string text;
  if (!no_file) text.reserve(size + kPartSize);
  for (std::vector<char> part(kPartSize); file;) {
    file.read(part.data(), kPartSize);
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) throw Stop(Exit::kInputUnreadable, path + ": cannot be read; check the path");
  return text;
}

std::string read_key_file(const std::string& path) {
  if (path.find("-----BEGIN") != std::string::npos || path.find('\n') != std::string::npos) {
    throw Stop(Exit::kUsage,
               "--key takes the path of a file, not a key: this one was seen by whoever looked at "
               "the processes of this host, make another");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
    throw Stop(Exit::kInputUnreadable, path + ": everybody can read the key; chmod o= " + path);
  }
  return read_file(path);
}

std::uint64_t number_of(const Arguments& arguments, const std::string& option) {
  const std::string text = arguments.get(option);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Stop(Exit::kUsage, "--" + option + "=" + text + " is not a number");
  }
  return value;
}

namespace {

// As signers and servers write their files: "example.com. 3600 IN SOA ...".
bool is_absolute_soa(const std::string& line, const std::string& owner) {
  if (owner.size() < 2 || !owner.ends_with('.')) return false;
  std::istringstream words(line);
  std::string word;
  for (int i = 0; i < 4 && words >> word; ++i) {
    if (word == "SOA" || word == "soa") return true;
  }
  return false;
}

}  // namespace

std::string zone_name_of(const std::string& path, const std::string& text) {
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    std::istringstream words(line);
    std::string first, origin;
    words >> first >> origin;
    if (first != "$ORIGIN") {
      if (!is_absolute_soa(line, first)) continue;
      origin = first;
    }
    if (origin.empty()) continue;
    if (origin.size() > 1 && origin.ends_with('.')) origin.pop_back();
    return origin;
  }
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".zone")) name.resize(name.size() - 5);
  return name;
}

}  // namespace brink::ctl::cli
