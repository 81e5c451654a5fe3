#include "ctl/daemon/config.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "dataplane/base/settings_file.h"

namespace brink::ctl::daemon {
namespace {

namespace po = boost::program_options;

// Collects values out of the variables map; the first fault is kept.
class SettingReader {
 public:
  // `file`: that was read; empty: none.
  SettingReader(const po::variables_map& values, std::string file)
      : values_(values), file_(std::move(file)) {}

  std::string text(const char* name) const { return values_[name].as<std::string>(); }

  std::string path(const char* name, std::size_t size_max = 4095) {
    std::string value = text(name);
    if (value.empty() || value.front() != '/' || value.size() > size_max) {
      fail(name, value, "is not an absolute path of 1 to " + std::to_string(size_max) + " octets",
           "write a path that starts with /");
    }
    return value;
  }

  // An absolute path, or nothing.
  std::string optional_path(const char* name) {
    return text(name).empty() ? std::string() : path(name);
  }

  // One of two words; true: the second.
  bool choice(const char* name, const char* first, const char* second) {
    const std::string value = text(name);
    if (value != first && value != second) {
      fail(name, value, "is neither", std::string("write ") + first + " or " + second);
    }
    return value == second;
  }

  template <typename T>
  void number(const char* name, std::uint64_t min, std::uint64_t max, T& target) {
    const auto value = values_[name].as<std::uint64_t>();
    if (value < min || value > max) {
      fail(name, std::to_string(value), "is out of range",
           "write a number from " + std::to_string(min) + " to " + std::to_string(max));
      return;
    }
    target = static_cast<T>(value);
  }

  std::vector<std::string> texts(const char* name) const {
    return values_.count(name) == 0 ? std::vector<std::string>()
                                    : values_[name].as<std::vector<std::string>>();
  }

  void fail(const std::string& name, const std::string& value, const std::string& what,
            const std::string& remedy) {
    if (fault_) return;
    fault_ = base::Error{"\"" + value + "\" " + what,
                         base::place_of_setting(file_, name, value) + "setting " + name, remedy};
  }
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

 private:
  const po::variables_map& values_;
  const std::string file_;
  std::optional<base::Error> fault_;
};

void read_edge_addresses(SettingReader& reader, Config& config) {
  for (const std::string& text : reader.texts("edge-address")) {
    const auto address = base::IpAddress::parse(text);
    if (!address) {
      return reader.fail("edge-address", text, "is not an IP address",
                         "write one such as 192.0.2.1 or 2001:db8::1");
    }
    config.edge_addresses.push_back(*address);
  }
  if (config.edge_addresses.empty()) {
    reader.fail("edge-address", "", "is missing",
                "name the anycast addresses of proxied names, one a line");
  }
}

void read_name_servers(SettingReader& reader, Config& config) {
  for (const std::string& text : reader.texts("name-server")) {
    auto name = model::zone_name(text);
    if (!name) {
      return reader.fail("name-server", text, "is not a host name",
                         "write one such as ns1.example.net");
    }
    config.name_servers.push_back(std::move(name).value());
  }
  if (config.name_servers.empty()) {
    reader.fail("name-server", "", "is missing",
                "name the name servers that zones are delegated to, one a line");
  }
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void read_edge_address_sets(SettingReader& reader, Config& config) {
  for (const std::string& text : reader.texts("edge-address-set")) {
    auto& set = config.more_edge_addresses.emplace_back();
    for (const std::string& word : words_of(text)) {
      const auto address = base::IpAddress::parse(word);
      if (address) set.push_back(*address);
    }
    if (!set.empty() && set.size() == words_of(text).size()) continue;
    return reader.fail("edge-address-set", text, "is not a list of IP addresses",
                       "write them on one line, separated by blanks");
  }
}

void read_name_server_sets(SettingReader& reader, Config& config) {
  for (const std::string& text : reader.texts("name-server-set")) {
    auto& set = config.more_name_servers.emplace_back();
    for (const std::string& word : words_of(text)) {
      auto name = model::zone_name(word);
      if (name) set.push_back(std::move(name).value());
    }
    if (!set.empty() && set.size() == words_of(text).size()) continue;
    return reader.fail("name-server-set", text, "is not a list of host names",
                       "write them on one line, separated by blanks");
  }
}

bool read_word(SettingReader& reader, const char* name, const std::string& yes,
               const std::string& no) {
  const std::string text = reader.text(name);
  if (text != yes && text != no) {
    reader.fail(name, text, "is neither of its two values", "write " + yes + " or " + no);
  }
  return text == yes;
}

void read_unproxiable_targets(SettingReader& reader, Config& config) {
  if (read_word(reader, "unproxiable-defaults", "on", "off")) {
    config.unproxiable_targets = model::Rules::default_unproxiable_targets();
  }
  for (const std::string& text : reader.texts("unproxiable-target")) {
    const auto words = words_of(text);
    const auto match = words.size() == 2 ? model::target_match_from_text(words[0]) : std::nullopt;
    auto name = words.size() == 2 ? model::zone_name(words[1]) : model::zone_name("");
    if (!match || !name) {
      return reader.fail("unproxiable-target", text, "is not a kind of match and a name",
                         "write exact, exact-or-sub or sub, and a name behind it");
    }
    config.unproxiable_targets.push_back({name.value().text(), *match});
  }
}

void read_record_limits(SettingReader& reader, Config& config) {
  reader.number("ttl-min", 2, 86400, config.ttl_min);
  reader.number("ttl-max", 60, 0x7fffffff, config.ttl_max);
  reader.number("comment-size-max", 0, 65535, config.comment_size_max);
  reader.number("tags-max", 0, 1000, config.tags_max);
  reader.number("text-size-max", 1, 65535, config.text_size_max);
  reader.number("text-total-max", 1, 1U << 20, config.text_total_max);
  reader.number("records-per-page-max", 1, 1'000'000, config.records_per_page_max);
  reader.number("zones-per-page-max", 1, 100'000, config.zones_per_page_max);
}

void read_api(SettingReader& reader, Config& config) {
  config.api_certificate = reader.optional_path("api-certificate");
  config.api_key = reader.optional_path("api-key");
  if (config.api_certificate.empty() != config.api_key.empty()) {
    const bool has_key = config.api_certificate.empty();
    reader.fail(
        has_key ? "api-key" : "api-certificate", has_key ? config.api_key : config.api_certificate,
        "stands alone",
        has_key ? "name the certificate with api-certificate" : "name its key with api-key");
  }
  config.tls_13_only = reader.choice("api-tls-min", "1.2", "1.3");
  config.api_plain_anywhere = reader.choice("api-plain-anywhere", "off", "on");
  reader.number("user-requests-max", 1, 1'000'000'000, config.user_requests_max);
  reader.number("user-requests-period-s", 1, 86'400, config.user_requests_period_s);
  reader.number("address-requests-max", 1, 1'000'000'000, config.address_requests_max);
  reader.number("login-failures-max", 1, 1'000'000'000, config.login_failures_max);
  config.key_file = reader.optional_path("key-file");
  if (config.key_file.empty()) config.key_file = config.store + ".key";
  reader.number("audit-entries-max", 1, 1'000'000'000, config.audit_entries_max);
  reader.number("audit-age-max-days", 1, 36'500, config.audit_age_max_days);
}

// ADDRESS:PORT or [ADDRESS]:PORT.
std::optional<base::Endpoint> read_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = base::IpAddress::parse(host);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (!address || address->is_v4() == bracketed || error != std::errc() || rest != end ||
      port == 0) {
    return std::nullopt;
  }
  return base::Endpoint{*address, port};
}

void read_metrics(SettingReader& reader, Config& config) {
  const std::string text = reader.text("metrics-listen");
  if (text == "off") return;
  config.metrics_listen = read_endpoint(text);
  if (config.metrics_listen) return;
  reader.fail("metrics-listen", text, "is not an address with a port",
              "write one such as 127.0.0.1:9153 or [2001:db8::1]:9153, or off");
}

void read_resolvers(SettingReader& reader, Config& config) {
  constexpr std::uint16_t kDnsPort = 53;
  for (const std::string& text : reader.texts("resolver")) {
    const auto bare = base::IpAddress::parse(text);
    const auto server = bare ? base::Endpoint{*bare, kDnsPort} : read_endpoint(text);
    if (!server) {
      return reader.fail("resolver", text, "is not an address with or without a port",
                         "write one such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353");
    }
    config.resolvers.push_back(*server);
  }
  for (const std::string& text : reader.texts("origin-allow")) {
    const auto prefix = resolve::Prefix::parse(text);
    if (!prefix) {
      return reader.fail("origin-allow", text, "is not a prefix",
                         "write one such as 10.1.0.0/16 or fd00::/8, without bits behind it");
    }
    config.origin_allow.push_back(*prefix);
  }
}

void read_resolve_limits(SettingReader& reader, Config& config) {
  constexpr std::uint64_t kWeek = 604'800;
  reader.number("resolve-timeout-ms", 50, 30'000, config.resolve_timeout_ms);
  reader.number("resolve-attempts", 1, 10, config.resolve_attempts);
  reader.number("resolve-wait-ms", 0, 60'000, config.resolve_wait_ms);
  reader.number("resolve-ttl-min", 1, 86'400, config.resolve_ttl_min);
  reader.number("resolve-ttl-max", 1, kWeek, config.resolve_ttl_max);
  reader.number("resolve-stale-max", 0, kWeek, config.resolve_stale_max);
  reader.number("resolve-names-max", 0, 10'000'000, config.resolve_names_max);
  reader.number("resolve-in-flight-max", 1, 10'000, config.resolve_in_flight_max);
  reader.number("flatten-ttl-max", 1, 86'400, config.flatten_ttl_max);
  if (config.resolve_ttl_min > config.resolve_ttl_max) {
    reader.fail("resolve-ttl-min", std::to_string(config.resolve_ttl_min),
                "is larger than resolve-ttl-max", "make it smaller");
  }
}

void read_activation(SettingReader& reader, Config& config) {
  reader.number("activation-first", 1, 86'400, config.activation_first);
  reader.number("activation-interval-max", 1, 2'592'000, config.activation_interval_max);
  reader.number("activation-failures-max", 1, 1000, config.activation_failures_max);
  reader.number("activation-rate-max", 1, 60'000, config.activation_rate_max);
  if (config.activation_first > config.activation_interval_max) {
    reader.fail("activation-first", std::to_string(config.activation_first),
                "is larger than activation-interval-max", "make it smaller");
  }
}

// Signatures must outlive the time until they are replaced everywhere (dns/dnssec/schedule.h).
void read_dnssec(SettingReader& reader, Config& config) {
  constexpr std::uint32_t kDay = 86'400, kYear = 365 * kDay;
  reader.number("dnssec-validity", 3600, kYear, config.dnssec_validity);
  reader.number("dnssec-period", 600, kYear, config.dnssec_period);
  reader.number("dnssec-ksk-lifetime", 0, 10 * kYear, config.dnssec_ksk_lifetime);
  reader.number("dnssec-zsk-lifetime", 0, 10 * kYear, config.dnssec_zsk_lifetime);
  reader.number("dnssec-propagation", 1, kDay, config.dnssec_propagation);
  reader.number("dnssec-parent-ttl", 1, 30 * kDay, config.dnssec_parent_ttl);
  // Nobody keeps a record for longer than its signature is valid (RFC 4035 5.3.3), and few keep any for
  // longer than this.
  constexpr std::uint64_t kCachedMax = 7 * kDay;
  const std::uint64_t cached = std::min<std::uint64_t>(config.ttl_max, kCachedMax);
  const std::uint64_t needed = config.dnssec_period + cached +
                               static_cast<std::uint64_t>(kDnssecSweepInterval.count());
  if (config.dnssec_validity < needed) {
    reader.fail("dnssec-validity", std::to_string(config.dnssec_validity),
                "is less than dnssec-period, ttl-max (a week at most) and an hour together",
                "make it at least " + std::to_string(needed));
  }
}

void read_log_level(SettingReader& reader, Config& config) {
  config.log_level = reader.text("log-level");
  for (const char* level : {"trace", "debug", "info", "warning", "error", "critical"}) {
    if (config.log_level == level) return;
  }
  reader.fail("log-level", config.log_level, "is not a level",
              "write trace, debug, info, warning, error or critical");
}

base::Result<Config> to_config(const po::variables_map& values, const std::string& file) {
  constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un
  Config config;
  SettingReader reader(values, file);
  config.store = reader.path("store");
  config.api_socket = reader.path("api-socket", kSocketPathMax);
  config.edge_socket = reader.path("edge-socket", kSocketPathMax);
  config.stats_file = reader.path("stats-file");
  config.listen = reader.text("listen") == "off" ? "" : reader.text("listen");
  read_edge_addresses(reader, config);
  read_name_servers(reader, config);
  read_edge_address_sets(reader, config);
  read_name_server_sets(reader, config);
  read_unproxiable_targets(reader, config);
  config.own_apex_ns = read_word(reader, "apex-ns-records", "served", "ignored");
  config.https_records = read_word(reader, "https-records", "on", "off");
  read_record_limits(reader, config);
  reader.number("connections-max", 1, 100'000, config.connections_max);
  reader.number("import-size-max", 1, 1ULL << 32, config.import_size_max);
  reader.number("import-size-max-socket", 1, 1ULL << 32, config.import_size_max_socket);
  reader.number("batch-max", 1, 1'000'000, config.batch_max);
  reader.number("acknowledge-timeout-ms", 100, 3'600'000, config.acknowledge_timeout_ms);
  reader.number("reconnect-interval-ms", 10, 60'000, config.reconnect_interval_ms);
  reader.number("edge-job-timeout-s", 1, 86'400, config.edge_job_timeout_s);
  reader.number("history-versions-max", 1, 10'000'000, config.history_versions_max);
  reader.number("history-age-max-days", 1, 36'500, config.history_age_max_days);
  read_api(reader, config);
  read_metrics(reader, config);
  read_resolvers(reader, config);
  read_resolve_limits(reader, config);
  read_activation(reader, config);
  read_dnssec(reader, config);
  read_log_level(reader, config);
  if (config.ttl_min > config.ttl_max) {
    reader.fail("ttl-min", std::to_string(config.ttl_min), "is larger than ttl-max",
                "make it smaller");
  }
  if (reader.fault()) return *reader.fault();
  config.file = file;
  return config;
}

// `file`: that was being read; empty: the command line was.
base::Error option_error(const po::error& error, const std::string& file) {
  std::string where = "command line";
  if (const auto* line = dynamic_cast<const po::invalid_syntax*>(&error);
      line != nullptr && !file.empty()) {
    where = base::place_of_line(file, line->tokens()) + "\"" + line->tokens() + "\"";
  } else if (const auto* option = dynamic_cast<const po::error_with_option_name*>(&error);
             option != nullptr && !file.empty()) {
    where = base::place_of_setting(file, option->get_option_name()) + "setting " +
            option->get_option_name();
  }
  return {error.what(), where, "see brink-control --help"};
}

}  // namespace

base::Result<CommandLine> read_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  po::variables_map values;
  std::string file_name;
  try {
    po::options_description all;
    all.add(general_options()).add(setting_options());
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(po::positional_options_description())
                  .run(),
              values);
    if (values.count("help") != 0) return CommandLine{Action::kHelp, {}};
    if (values.count("version") != 0) return CommandLine{Action::kVersion, {}};
    if (values.count("routes") != 0) return CommandLine{Action::kRoutes, {}};
    if (values.count("check") != 0) line.action = Action::kCheck;

    file_name = values["config"].as<std::string>();
    std::ifstream file(file_name);
    if (file) {
      line.config.file = file_name;
      po::store(po::parse_config_file(file, setting_options()), values);
    } else if (!values["config"].defaulted()) {
      return base::Error{"the settings file cannot be read", file_name,
                         "check the path given to --config"};
    }
    po::notify(values);
  } catch (const po::error& error) {
    return option_error(error, line.config.file);
  }
  auto config = to_config(values, line.config.file);
  if (!config) return config.error();
  line.config = std::move(config).value();
  return line;
}

std::string help_text() {
  std::ostringstream text;
  text << "brink-control: record store, API and publisher of a Brink node. Runs in the foreground\n"
          "until SIGTERM or SIGINT; logs to standard error.\n\n"
          "usage: brink-control [--config FILE] [--SETTING VALUE]...\n\n"
       << general_options() << "\n"
       << setting_options();
  return text.str();
}

}  // namespace brink::ctl::daemon
