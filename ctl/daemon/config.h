// Config: brink-control's settings, from the command line and a commented file, validated as a
// whole.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/rules.h"
#include "ctl/model/zone.h"
#include "ctl/resolve/address_filter.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"

namespace boost::program_options {
class options_description;
}

namespace brink::ctl::daemon {

// From the beginning of one search for signatures that end to that of the next.
inline constexpr std::chrono::seconds kDnssecSweepInterval{3600};

struct Config {
  std::string file;  // that was read; empty = none
  std::string store;
  std::string api_socket;
  std::string listen;           // empty = off
  std::optional<base::Endpoint> metrics_listen;  // empty = off
  std::string api_certificate;  // PEM files; both empty = no TLS
  std::string api_key;
  bool tls_13_only = false;
  bool api_plain_anywhere = false;
  std::string key_file;                 // of the secrets in the store
  std::uint32_t user_requests_max = 0;  // in user_requests_period_s
  std::uint32_t user_requests_period_s = 0;
  std::uint32_t address_requests_max = 0;  // a second
  std::uint32_t login_failures_max = 0;    // of an address, in user_requests_period_s
  std::uint32_t audit_age_max_days = 0;
  std::uint64_t audit_entries_max = 0;
  std::string edge_socket;
  std::string stats_file;
  std::vector<base::IpAddress> edge_addresses;
  std::vector<model::DomainName> name_servers;
  // Further sets that zones are assigned from, beside the first.
  std::vector<std::vector<base::IpAddress>> more_edge_addresses;
  std::vector<std::vector<model::DomainName>> more_name_servers;
  bool own_apex_ns = true;
  bool https_records = true;
  std::vector<model::UnproxiableTarget> unproxiable_targets;  // the built-in ones among them
  std::uint32_t ttl_min = 0;
  std::uint32_t ttl_max = 0;
  std::uint32_t comment_size_max = 0;
  std::uint32_t tags_max = 0;
  std::uint32_t text_size_max = 0;
  std::uint32_t text_total_max = 0;
  std::uint64_t records_per_page_max = 0;
  std::uint64_t zones_per_page_max = 0;
  std::uint64_t connections_max = 0;
  std::uint64_t import_size_max = 0;         // over TCP
  std::uint64_t import_size_max_socket = 0;  // over the UNIX socket
  std::uint32_t batch_max = 0;
  std::uint32_t acknowledge_timeout_ms = 0;
  std::uint32_t reconnect_interval_ms = 0;
  std::uint32_t edge_job_timeout_s = 0;
  std::uint64_t history_versions_max = 0;
  std::uint32_t history_age_max_days = 0;
  std::vector<base::Endpoint> resolvers;  // empty: those of /etc/resolv.conf
  std::vector<resolve::Prefix> origin_allow;
  std::uint32_t resolve_timeout_ms = 0;
  std::uint32_t resolve_attempts = 0;
  std::uint32_t resolve_wait_ms = 0;
  std::uint32_t resolve_ttl_min = 0;  // seconds, like those that follow
  std::uint32_t resolve_ttl_max = 0;
  std::uint32_t resolve_stale_max = 0;
  std::uint64_t resolve_names_max = 0;
  std::uint64_t resolve_in_flight_max = 0;
  std::uint32_t flatten_ttl_max = 0;
  std::uint32_t activation_first = 0;
  std::uint32_t activation_interval_max = 0;
  std::uint32_t activation_failures_max = 0;
  std::uint32_t activation_rate_max = 0;  // checks a minute
  std::uint32_t dnssec_validity = 0;      // of signatures
  std::uint32_t dnssec_period = 0;        // after which they are made anew
  std::uint32_t dnssec_ksk_lifetime = 0;  // 0: until a rollover is asked for
  std::uint32_t dnssec_zsk_lifetime = 0;  // likewise
  std::uint32_t dnssec_propagation = 0;   // until every server has a change
  std::uint32_t dnssec_parent_ttl = 0;    // of DS records
  std::string log_level;
};

enum class Action : std::uint8_t { kRun, kHelp, kVersion, kCheck, kRoutes };

struct CommandLine {
  Action action = Action::kRun;
  Config config;
};

// Reads `arguments` (without the program's name) and the file they name. The Error names the
// setting, its value and what would be right. kHelp, kVersion and kRoutes leave the config unread.
base::Result<CommandLine> read_command_line(const std::vector<std::string>& arguments);

// The options beside the settings, and the settings: what help and the manual are made from.
boost::program_options::options_description general_options();
boost::program_options::options_description setting_options();

std::string help_text();

}  // namespace brink::ctl::daemon
