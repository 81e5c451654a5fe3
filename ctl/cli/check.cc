// brinkctl check: whether files would be accepted, before anything runs with them.
//
// Settings files are read by the programs they are for, with --check: only they have their rules at
// hand (brink-edge parses devices and builds its topology with DPDK's folders, which brinkctl must
// not know), and what is checked is what will run. Zone files are parsed here, by the parser of the
// import.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "ctl/cli/input.h"
#include "ctl/cli/output.h"
#include "ctl/cli/zone_text.h"

namespace brink::ctl::cli {
namespace {

namespace fs = std::filesystem;

enum class FileKind { kControl, kEdge, kZone };

struct Finding {
  std::string path;
  bool is_good = false;
  std::string text;
};

constexpr const char* kInstalled[] = {"/etc/brink/control.conf", "/etc/brink/edge.conf"};

// An installed program, or in a build folder the one beside this one.
std::string program_path(const std::string& name, const std::string& build_folder) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& path :
       {self.parent_path() / name, self.parent_path().parent_path() / "sbin" / name,
        self.parent_path().parent_path().parent_path() / build_folder / name,
        fs::path("/usr/local/sbin") / name, fs::path("/usr/sbin") / name}) {
    if (::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path)) return path;
  }
  throw Stop(Exit::kInputUnreadable, name +
                                         " is not installed beside brinkctl; install it to check "
                                         "its settings");
}

// Runs a program; its exit code, and all that it wrote.
std::pair<int, std::string> run_program(const std::vector<std::string>& words) {
  int ends[2];
  if (::pipe(ends) != 0) throw Stop(Exit::kInputUnreadable, words[0] + ": cannot be started");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string output;
  char part[4096];
  for (ssize_t count; (count = ::read(ends[0], part, sizeof part)) != 0;) {
    if (count > 0) output.append(part, static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, output};
}

std::string last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// Without what a log line or a program's name puts before it.
std::string reason_of(const std::string& output, const std::string& program) {
  std::string line = last_line(output);
  for (const std::string& before : {std::string("[error] "), program + ": "}) {
    const std::size_t at = line.find(before);
    if (at != std::string::npos) line = line.substr(at + before.size());
  }
  return line;
}

Finding check_settings(const std::string& path, const std::string& program,
                       const std::string& build_folder) {
  const auto [code, output] =
      run_program({program_path(program, build_folder), "--config", path, "--check"});
  if (code == 0) return {path, true, "settings of " + program};
  std::string reason = reason_of(output, program);
  if (!reason.starts_with(path)) reason = path + ": " + reason;
  return {path, false, reason};
}

Finding check_zone(const std::string& path, const std::string& text) {
  const std::string name = zone_name_of(path, text);
  const auto zone = model::zone_name(name);
  if (!zone) {
    return {path, false,
            path + ": \"" + name + "\" is no zone's name; begin the file with $ORIGIN"};
  }
  const auto entries = parse_zone_text(text, zone.value());
  if (!entries) return {path, false, path + ", " + entries.error().message()};
  return {
      path, true,
      "zone " + zone.value().text() + ", " + std::to_string(entries.value().size()) + " records"};
}

// By the first line that says something: a section is of brink-edge, a setting of brink-control.
FileKind kind_of(const std::string& path, const std::string& text) {
  if (!path.ends_with(".conf")) return FileKind::kZone;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string::npos || line[start] == '#') continue;
    return line[start] == '[' ? FileKind::kEdge : FileKind::kControl;
  }
  return fs::path(path).filename().string().find("edge") != std::string::npos ? FileKind::kEdge
                                                                              : FileKind::kControl;
}

Finding check_file(const std::string& path) {
  const std::string text = read_file(path);
  switch (kind_of(path, text)) {
    case FileKind::kControl:
      return check_settings(path, "brink-control", "ctl/daemon");
    case FileKind::kEdge:
      return check_settings(path, "brink-edge", "dataplane/edge");
    case FileKind::kZone:
      return check_zone(path, text);
  }
  return {};
}

std::vector<std::string> installed() {
  std::vector<std::string> paths;
  for (const char* path : kInstalled) {
    if (fs::exists(path)) paths.push_back(path);
  }
  if (!paths.empty()) return paths;
  throw Stop(Exit::kInputUnreadable, std::string("neither ") + kInstalled[0] + " nor " +
                                         kInstalled[1] + " is there; name the files to check");
}

void check(Session& session, const Arguments& arguments) {
  const auto paths = arguments.positional.empty() ? installed() : arguments.positional;
  Json json = Json::array();
  std::size_t bad = 0;
  for (const std::string& path : paths) {
    const Finding finding = check_file(path);
    bad += finding.is_good ? 0 : 1;
    json.push_back({{"file", path}, {"good", finding.is_good}, {"finding", finding.text}});
    if (!session.json())
      print(finding.is_good ? path + ": good, " + finding.text + "\n" : finding.text + "\n");
  }
  if (session.json()) print_json(json);
  if (bad != 0) {
    throw Stop(Exit::kRefused, std::to_string(bad) + " of " + std::to_string(paths.size()) +
                                   (paths.size() == 1 ? " file" : " files") +
                                   " cannot be used as it is");
  }
}

}  // namespace

const std::vector<Command>& check_commands() {
  static const std::vector<Command> kCommands = {
      {"",
       "check",
       "[FILE]...",
       0,
       1000,
       "Whether settings files and zone files can be used.\n"
       "Files called *.conf are settings of brink-control or, with sections, of brink-edge; all "
       "others are\n"
       "zone files. Without FILE: /etc/brink/control.conf and /etc/brink/edge.conf. What is wrong "
       "is told\n"
       "with file, line and remedy, and ends the command with exit code 1. What records may be "
       "proxied, and\n"
       "what stands against each other, only the server knows: it checks that on import.",
       {},
       check},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
