#include "ctl/daemon/part_options.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

#include "ctl/daemon/version.h"
#include "dataplane/snapshot/layout.h"
#include "l7/render/route_blob.h"

namespace brink::ctl::daemon {
namespace {

// A form around a zone file is larger than the file.
constexpr std::size_t kFormOverhead = 64 * 1024;

model::Authority authority_of(const Config& config) {
  model::Authority authority;
  authority.name_servers = config.name_servers;
  authority.more_name_servers = config.more_name_servers;
  authority.own_apex_ns = config.own_apex_ns;
  return authority;
}

std::vector<base::IpAddress> all_edge_addresses(const Config& config) {
  std::vector<base::IpAddress> all = config.edge_addresses;
  for (const auto& set : config.more_edge_addresses) all.insert(all.end(), set.begin(), set.end());
  return all;
}

}  // namespace

dnssec::Policy dnssec_policy(const Config& config) {
  dnssec::Policy policy;
  policy.rollover.zone_ttl_max_s = config.ttl_max;
  policy.rollover.ksk_lifetime_s = config.dnssec_ksk_lifetime;
  policy.rollover.zsk_lifetime_s = config.dnssec_zsk_lifetime;
  policy.rollover.propagation_s = config.dnssec_propagation;
  policy.rollover.parent_ds_ttl_s = config.dnssec_parent_ttl;
  policy.signature.validity_s = config.dnssec_validity;
  policy.signature.period_s = policy.signature.jitter_s = config.dnssec_period;
  return policy;
}

resolve::AddressFilter origin_filter(const Config& config) {
  return {config.origin_allow, all_edge_addresses(config)};
}

api::Settings api_settings(const Config& config) {
  api::Settings settings;
  settings.rules.ttl_min = config.ttl_min;
  settings.rules.ttl_max = config.ttl_max;
  settings.rules.comment_size_max = config.comment_size_max;
  settings.rules.tags_max = config.tags_max;
  settings.rules.text_size_max = config.text_size_max;
  settings.rules.text_total_max = config.text_total_max;
  settings.rules.unproxiable_targets = config.unproxiable_targets;
  settings.rules.edge_addresses = all_edge_addresses(config);
  settings.address_set_count = 1 + config.more_edge_addresses.size();
  settings.authority = authority_of(config);
  settings.limits.records_per_page_max = config.records_per_page_max;
  settings.limits.zones_per_page_max = config.zones_per_page_max;
  settings.limits.batch_max = config.batch_max;
  settings.limits.import_size_max = config.import_size_max;
  settings.limits.import_size_max_trusted = config.import_size_max_socket;
  settings.dnssec = dnssec_policy(config);
  settings.program_version = kVersion;
  settings.store_path = config.store;
  settings.stats_path = config.stats_file;
  settings.edge_socket = config.edge_socket;
  const std::chrono::seconds period(config.user_requests_period_s);
  settings.user_limit = {config.user_requests_max, period};
  settings.address_limit = {config.address_requests_max, std::chrono::seconds(1)};
  settings.failure_limit = {config.login_failures_max, period};
  return settings;
}

compile::Options compile_options(const Config& config) {
  compile::Options options;
  options.edge_addresses = config.edge_addresses;
  options.more_edge_addresses = config.more_edge_addresses;
  options.authority = authority_of(config);
  options.https_records = config.https_records;
  options.render_route = [](const compile::ProxiedName& proxied) {
    l7::render::RouteSpec spec;
    spec.zone_name = proxied.zone_name;
    spec.origins = proxied.origins;
    spec.target_name = proxied.target_name;
    return l7::render::render_route(spec);
  };
  options.broken_rule = [](const compile::BrokenRule& broken) {
    spdlog::error("zone {}: rule {} of {} has no effect, mend or delete it: {}", broken.zone,
                  broken.rule, broken.phase, broken.fault);
  };
  return options;
}

api::ServerOptions server_options(const Config& config) {
  api::ServerOptions options;
  options.socket_path = config.api_socket;
  options.listen = config.listen;
  options.connections_max = config.connections_max;
  options.import_body_size_max = config.import_size_max + kFormOverhead;
  options.import_body_size_max_trusted = config.import_size_max_socket + kFormOverhead;
  options.tls = {config.api_certificate, config.api_key,
                 config.tls_13_only ? api::TlsVersion::k13 : api::TlsVersion::k12};
  options.plain_anywhere = config.api_plain_anywhere;
  return options;
}

OutsideKeeper::Options outside_options(const Config& config) {
  OutsideKeeper::Options options;
  options.resolver.exchange.servers = config.resolvers;
  options.resolver.exchange.timeout = std::chrono::milliseconds(config.resolve_timeout_ms);
  options.resolver.exchange.attempts = config.resolve_attempts;
  auto& limits = options.resolver.limits;
  limits.ttl_min = std::chrono::seconds(config.resolve_ttl_min);
  limits.ttl_max = std::chrono::seconds(config.resolve_ttl_max);
  limits.stale_max = std::chrono::seconds(config.resolve_stale_max);
  limits.names_max = config.resolve_names_max;
  limits.in_flight_max = config.resolve_in_flight_max;
  options.resolver.filter = origin_filter(config);
  options.wait = std::chrono::milliseconds(config.resolve_wait_ms);
  options.flatten_ttl_max = config.flatten_ttl_max;
  return options;
}

ActivationKeeper::Options activation_options(const Config& config) {
  ActivationKeeper::Options options;
  options.authority = authority_of(config);
  options.rules.first = std::chrono::seconds(config.activation_first);
  options.rules.interval_max = std::chrono::seconds(config.activation_interval_max);
  options.rules.failures_max = config.activation_failures_max;
  options.rate_max = config.activation_rate_max;
  return options;
}

DnssecKeeper::Options dnssec_options(const Config& config) {
  DnssecKeeper::Options options;
  options.policy = dnssec_policy(config);
  options.sweep.policy = options.policy.signature;
  options.sweep.interval = kDnssecSweepInterval;
  return options;
}

std::vector<std::uint8_t> compile_fingerprint(const Config& config) {
  std::string text = std::string(kVersion) + " " + std::to_string(snapshot::kLayoutVersion);
  for (const auto& address : config.edge_addresses)
    text += " " + std::string(address.text().view());
  for (const auto& server : config.name_servers) text += " " + server.text();
  for (const auto& set : config.more_edge_addresses) {
    text += " |";
    for (const auto& address : set) text += " " + std::string(address.text().view());
  }
  for (const auto& set : config.more_name_servers) {
    text += " |";
    for (const auto& server : set) text += " " + server.text();
  }
  if (!config.own_apex_ns) text += " assigned";
  if (config.https_records) text += " https";
  text += " direct dnssec " + std::to_string(config.dnssec_validity) + " " +
          std::to_string(config.dnssec_period);
  return {text.begin(), text.end()};
}

}  // namespace brink::ctl::daemon
