#include "ctl/cli/terminal.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {
namespace {

// A file that only its owner can read, as long as it is wanted.
class PrivateFile {
 public:
  PrivateFile(const std::string& text, const std::string& suffix) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder == nullptr || *folder == 0 ? "/tmp" : folder) + "/brinkctl-XXXXXX" +
            suffix;
    const int fd = ::mkstemps(path_.data(), static_cast<int>(suffix.size()));  // mode 0600
    if (fd < 0) fail();
    std::size_t written = 0;
    while (written < text.size()) {
      const ssize_t count = ::write(fd, text.data() + written, text.size() - written);
      if (count < 0) {
        const int error = errno;
        ::close(fd);
        ::unlink(path_.c_str());
        errno = error;
        fail();
      }
      written += static_cast<std::size_t>(count);
    }
    ::close(fd);
  }
  ~PrivateFile() {
    if (!is_kept_) ::unlink(path_.c_str());
  }
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void keep() { is_kept_ = true; }

 private:
  [[noreturn]] void fail() const {
    throw Stop(Exit::kInputUnreadable, path_ + ": cannot be written: " + std::strerror(errno) +
                                           "; make room, or name another folder with TMPDIR");
  }

  std::string path_;
  bool is_kept_ = false;
};

std::string read_back(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw Stop(Exit::kInputUnreadable, path + ": is gone; nothing was changed");
  return text;
}

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string editor() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != 0) return value;
  }
  for (const char* program : {"editor", "nano", "vi"}) {
    if (is_in_path(program)) return program;
  }
  throw Stop(Exit::kUsage, "there is no editor; name one in the environment's EDITOR");
}

// Through the shell: EDITOR may carry arguments.
int run_editor(const std::string& command, const std::string& path) {
  const std::string line = command + " \"$1\"";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw Stop(Exit::kInputUnreadable, "no editor can be started");
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", line.c_str(), "brinkctl", path.c_str(), nullptr);
    ::_exit(127);
  }
  // ^C in the editor is the editor's.
  const auto before = std::signal(SIGINT, SIG_IGN);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::signal(SIGINT, before);
  return status;
}

}  // namespace

bool has_terminal() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool wants_colour() {
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == 0);
}

char ask(const std::string& question, const std::string& answers) {
  for (std::string line;;) {
    std::fputs((question + " ").c_str(), stderr);
    if (!std::getline(std::cin, line)) return answers.back();
    if (line.empty()) return answers.front();
    if (answers.find(line.front()) != std::string::npos) return line.front();
  }
}

std::string edit_text(const std::string& text, const std::string& suffix) {
  const std::string command = editor();
  PrivateFile file(text, suffix);
  const int status = run_editor(command, file.path());
  std::string result = read_back(file.path());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return result;
  std::string kept;
  if (result != text) {
    file.keep();
    kept = "; what was written is in " + file.path();
  }
  throw Stop(Exit::kRefused, "the editor \"" + command +
                                 "\" did not end well; nothing was changed" + kept +
                                 ". Name another one in EDITOR");
}

std::string keep_text(const std::string& text, const std::string& suffix) {
  PrivateFile file(text, suffix);
  file.keep();
  return file.path();
}

}  // namespace brink::ctl::cli
