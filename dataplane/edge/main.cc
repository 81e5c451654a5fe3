// brink-edge: reads the settings, starts the edge, keeps house until SIGTERM or SIGINT. SIGHUP:
// files that can change meanwhile are read again.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "dataplane/edge/dot_certificates.h"
#include "dataplane/edge/edge.h"
#include "dataplane/edge/operator_identity.h"
#include "dataplane/edge/ticket_keys.h"
#include "l7/credentials/private_keys.h"

namespace {

std::atomic<bool> stop_requested{false};
std::atomic<bool> reload_requested{false};

void request_stop(int) {
  stop_requested.store(true, std::memory_order_relaxed);
}

void request_reload(int) {
  reload_requested.store(true, std::memory_order_relaxed);
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = request_reload;
  sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int fail(const brink::base::Error& error) {
  spdlog::error("{}", error.message());
  return 1;
}

brink::base::Result<void> check_tls_files(const brink::edge::Config& config) {
  const auto keys = brink::l7::credentials::check_key_file(config.tls_key_file);
  if (!keys) return keys;
  if (!config.tls_dot_certificate_file.empty()) {
    const auto dot = brink::edge::DotCertificate::read(
        {config.tls_dot_certificate_file, config.tls_dot_key_file});
    if (!dot) return dot.error();
  }
  const auto tickets = brink::edge::read_ticket_secret(config.tls_ticket_key_file);
  if (!tickets) return tickets.error();
  const auto own = brink::edge::read_operator_identity(config.tls_origin_pull_certificate,
                                                       config.tls_origin_pull_key);
  if (!own) return own.error();
  return brink::edge::check_operator_identity(own.value());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace brink::edge;
  spdlog::set_default_logger(spdlog::stderr_color_mt("brink-edge"));
  const auto invocation = parse_arguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!invocation) {
    fail(invocation.error());
    return 2;
  }
  if (invocation.value().help) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  const Config& config = invocation.value().config;
  spdlog::set_level(spdlog::level::from_str(config.log_level));
  if (invocation.value().check_only) {
    const auto topology = make_topology(config, available_cpus());
    if (!topology) {
      fail(topology.error());
      return 2;
    }
    if (const auto files = check_tls_files(config); !files) {
      fail(files.error());
      return 2;
    }
    spdlog::info("the settings are good");
    return 0;
  }
  handle_signals();
  auto edge = Edge::start(config);
  if (!edge) return fail(edge.error());
  spdlog::info("ready");
  auto ended = edge.value()->housekeep(stop_requested, reload_requested);
  if (ended) ended = edge.value()->drain();
  edge.value().reset();
  if (!ended) return fail(ended.error());
  spdlog::info("stopped");
  return 0;
}
