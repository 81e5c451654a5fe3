// brink-control: settings, log, signals; the rest is Control.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>

#include "ctl/daemon/config.h"
#include "ctl/daemon/control.h"
#include "ctl/daemon/route_table.h"
#include "ctl/daemon/version.h"

namespace {

using namespace brink::ctl::daemon;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

// Blocked before any thread starts, so that all threads inherit it and sigwait() gets them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int run(const Config& config) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("brink-control"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
  spdlog::set_level(spdlog::level::from_str(config.log_level));
  const sigset_t signals = block_signals();
  const auto control = Control::start(config);
  if (!control) {
    spdlog::critical("{}", control.error().message());
    return kExitFailure;
  }
  spdlog::info("brink-control {} ready: API on {}{}{}", kVersion, config.api_socket,
               config.listen.empty() ? "" : " and ", config.listen);
  int signal = 0;
  for (sigwait(&signals, &signal); signal == SIGHUP; sigwait(&signals, &signal)) {
    control.value()->reload();
  }
  spdlog::info("stopping on signal {}", signal);
  return 0;
}

int print_routes() {
  const auto table = route_table();
  if (table) {
    std::fputs(table.value().c_str(), stdout);
    return 0;
  }
  std::fprintf(stderr, "brink-control: %s\n", table.error().message().c_str());
  return kExitFailure;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = read_command_line({argv + 1, argv + argc});
  if (!line) {
    std::fprintf(stderr, "brink-control: %s\n", line.error().message().c_str());
    return kExitUsage;
  }
  switch (line.value().action) {
    case Action::kHelp:
      std::fputs(help_text().c_str(), stdout);
      return 0;
    case Action::kVersion:
      std::printf("brink-control %s\n", kVersion);
      return 0;
    case Action::kRoutes:
      return print_routes();
    case Action::kCheck:
      std::printf("%s: the settings are valid\n", line.value().config.file.empty()
                                                      ? "command line"
                                                      : line.value().config.file.c_str());
      return 0;
    case Action::kRun:
      return run(line.value().config);
  }
  return kExitUsage;
}
