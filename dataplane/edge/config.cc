#include "dataplane/edge/config.h"

#include <boost/program_options.hpp>

#include <algorithm>
#include <bit>
#include <fstream>
#include <sstream>

#include "dataplane/base/settings_file.h"
#include "dataplane/edge/config_value.h"
#include "dataplane/ipc/traffic.h"
#include "l7/proxy/state/handshake_limit.h"

namespace brink::edge {
namespace {

namespace po = boost::program_options;
using Strings = std::vector<std::string>;

// Reader turns settings into typed values and keeps the first error.
class Reader {
 public:
  explicit Reader(const po::variables_map& values) : values_(values) {}

  [[nodiscard]] bool has(const char* name) const { return values_.count(name) != 0; }
  [[nodiscard]] std::string text(const char* name) const {
    return has(name) ? values_[name].as<std::string>() : std::string{};
  }
  [[nodiscard]] Strings list(const char* name) const {
    return has(name) ? values_[name].as<Strings>() : Strings{};
  }
  template <typename T>
  void number(const char* name, T& out, std::uint32_t least, std::uint32_t most) {
    take(parse_number(name, text(name), least, most),
         [&](std::uint32_t value) { out = static_cast<T>(value); });
  }
  void flag(const char* name, bool& out) {
    take(parse_bool(name, text(name)), [&](bool value) { out = value; });
  }
  // One of `choices`, by position.
  std::size_t choice(const char* name, const Strings& choices) {
    const auto found = std::find(choices.begin(), choices.end(), text(name));
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
    std::string remedy = "give one of:";
    for (const std::string& one : choices) remedy += " " + one;
    fail({"not one of its values", std::string(name) + " = " + text(name), remedy});
    return 0;
  }
  template <typename T, typename Use>
  void take(base::Result<T> result, Use use) {
    if (!result) {
      fail(result.error());
    } else {
      use(result.value());
    }
  }
  void fail(base::Error error) {
    if (!error_) error_ = std::move(error);
  }
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  const po::variables_map& values_;
  std::optional<base::Error> error_;
};

void read_snapshot(Reader& r, Config& c) {
  const std::size_t sync = r.choice("snapshot.log-sync", {"always", "interval", "never"});
  c.log_sync = std::array{snapshot::SyncPolicy::kAlways, snapshot::SyncPolicy::kInterval,
                          snapshot::SyncPolicy::kNever}[sync];
  std::uint32_t interval_ms = 0;
  std::uint32_t log_mb = 0;
  std::uint32_t memory_mb = 0;
  r.number("snapshot.log-sync-interval-ms", interval_ms, 1, 3'600'000);
  r.number("snapshot.log-size-max-mb", log_mb, 1, 1U << 20);
  r.number("snapshot.memory-max-mb", memory_mb, 0, 1U << 24);
  c.log_sync_interval = std::chrono::milliseconds(interval_ms);
  c.log_size_max = std::uint64_t{log_mb} << 20;
  if (memory_mb != 0) c.image_memory_max = std::uint64_t{memory_mb} << 20;
}

void read_port_and_topology(Reader& r, Config& c) {
  const std::size_t pages = r.choice("eal.hugepages", {"auto", "required", "off"});
  c.eal.hugepages =
      std::array{eal::Hugepages::kAuto, eal::Hugepages::kRequired, eal::Hugepages::kOff}[pages];
  r.number("eal.memory-mb", c.eal.memory_mb, 64, 1U << 20);
  c.eal.file_prefix = r.text("eal.file-prefix");
  r.flag("eal.telemetry", c.eal.telemetry);
  r.number("eal.log-level", c.eal.log_level, 1, 8);
  c.port.device = r.text("port.device");
  if (c.port.device.empty()) {
    r.fail({"no port is configured", "port.device", "give auto:IFACE, for example auto:eth0"});
  } else {
    const auto devices = port::parse_device(c.port.device, 1, 1);
    if (!devices) {
      r.fail({devices.error().what, "port.device = " + c.port.device, devices.error().remedy});
    } else if (devices.value().front().bus == "pci") {
      c.eal.pci_devices = {c.port.device};
    }
  }
  r.number("port.rx-descriptors", c.port.rx_descriptors, 64, 16384);
  r.number("port.tx-descriptors", c.port.tx_descriptors, 64, 16384);
  r.number("port.mtu", c.port.mtu, 0, 9600);
  r.number("port.vlan", c.vlan_id, 0, 4094);
  r.flag("port.promiscuous", c.port.promiscuous);
  r.number("topology.main-cpu", c.main_cpu, 0, 1023);
  for (const std::string& text : r.list("topology.worker")) {
    r.take(parse_worker("topology.worker", text), [&](WorkerSpec w) { c.workers.push_back(w); });
  }
  c.idle = r.choice("topology.idle", {"poll", "adaptive"}) == 0 ? worker::IdleMode::kPoll
                                                                : worker::IdleMode::kAdaptive;
  std::uint32_t sleep_us = 0;
  r.number("topology.idle-sleep-max-us", sleep_us, 1, 10000);
  c.idle_sleep_max = std::chrono::microseconds(sleep_us);
}

void read_port_list(Reader& r, const char* name, const Strings& texts,
                    std::vector<std::uint16_t>& ports) {
  for (const std::string& text : texts) {
    r.take(parse_number(name, text, 1, 65535),
           [&](std::uint32_t port) { ports.push_back(static_cast<std::uint16_t>(port)); });
    // A worker tells its TCP stacks apart by our port.
    if (text == "53") {
      r.fail({"the port of DNS", std::string(name) + " = 53", "give another port"});
    }
  }
}

void read_ports(Reader& r, Config& c) {
  read_port_list(r, "service.http-port", r.list("service.http-port"), c.http_ports);
  const Strings https = r.list("service.https-port");
  if (https != Strings{"none"}) read_port_list(r, "service.https-port", https, c.https_ports);
  for (const std::uint16_t port : c.https_ports) {
    if (std::find(c.http_ports.begin(), c.http_ports.end(), port) == c.http_ports.end()) continue;
    r.fail({"a port is for HTTP or for HTTPS", "service.https-port = " + std::to_string(port),
            "take it out of service.http-port, or give another"});
  }
}

// Behind the ports for HTTP and the first port of connections to origins.
void read_dot_port(Reader& r, Config& c) {
  const std::string text = r.text("service.dot-port");
  if (text == "none") return;
  r.number("service.dot-port", c.dot_port, 1, 65535);
  const auto is_in = [&](const std::vector<std::uint16_t>& ports) {
    return std::find(ports.begin(), ports.end(), c.dot_port) != ports.end();
  };
  if (c.dot_port == 53 || is_in(c.http_ports) || is_in(c.https_ports)) {
    r.fail({"a port is for DNS over TLS or for something else", "service.dot-port = " + text,
            "give 853, or another that no service has"});
  }
  if (c.dot_port >= c.origin_port_first) {
    r.fail({"a port of connections to origins", "service.dot-port = " + text,
            "give one below service.origin-port-first"});
  }
  if (c.dns_addresses.empty()) {
    r.fail({"no address answers DNS", "service.dot-port = " + text, "give service.dns, or none"});
  }
}

void read_dot_certificate(Reader& r, Config& c) {
  c.tls_dot_certificate_file = r.text("tls.dot-certificate");
  c.tls_dot_key_file = r.text("tls.dot-key");
  c.tls_dot_host = r.text("tls.dot-host");
  if (c.tls_dot_certificate_file.empty() != c.tls_dot_key_file.empty()) {
    r.fail({"a certificate without its key, or a key without its certificate",
            c.tls_dot_key_file.empty() ? "tls.dot-certificate = " + c.tls_dot_certificate_file
                                       : "tls.dot-key = " + c.tls_dot_key_file,
            "give tls.dot-certificate and tls.dot-key"});
  }
  if (!c.tls_dot_host.empty() && !c.tls_dot_certificate_file.empty()) {
    r.fail({"two certificates for DNS over TLS", "tls.dot-host = " + c.tls_dot_host,
            "give tls.dot-certificate or tls.dot-host"});
  }
  r.take(parse_dns_name("tls.dot-host", c.tls_dot_host), [](const std::string&) {});
}

void read_addresses(Reader& r, Config& c) {
  for (const bool v4 : {true, false}) {
    const char* own = v4 ? "address.own-v4" : "address.own-v6";
    const char* gateway = v4 ? "address.gateway-v4" : "address.gateway-v6";
    if (r.has(own)) {
      r.take(parse_interface_address(own, r.text(own), v4),
             [&](exception::InterfaceAddress a) { (v4 ? c.own_v4 : c.own_v6) = a; });
    }
    if (r.has(gateway)) {
      r.take(parse_address(gateway, r.text(gateway), v4),
             [&](base::IpAddress a) { (v4 ? c.gateway_v4 : c.gateway_v6) = a; });
    }
  }
  for (const std::string& text : r.list("address.neighbour")) {
    r.take(parse_neighbour("address.neighbour", text),
           [&](const auto& neighbour) { c.neighbours.push_back(neighbour); });
  }
  const std::pair<const char*, std::vector<base::IpAddress>*> services[] = {
      {"service.dns", &c.dns_addresses}, {"service.proxied", &c.proxied_addresses}};
  for (const auto& [name, addresses] : services) {
    for (const std::string& text : r.list(name)) {
      r.take(parse_address(name, text), [&](base::IpAddress a) {
        const bool own =
            (c.own_v4 && a == c.own_v4->address) || (c.own_v6 && a == c.own_v6->address);
        if (own) {
          r.fail({"a service address cannot be the box's own", std::string(name) + " = " + text,
                  "give the service an address that is routed to the box"});
        }
        addresses->push_back(a);
      });
    }
  }
  if (c.dns_addresses.empty() && c.proxied_addresses.empty()) {
    r.fail({"nothing is served", "service.dns, service.proxied", "give at least one address"});
  }
  read_ports(r, c);
  for (const std::string& text : r.list("service.proxy-protocol-from")) {
    r.take(parse_prefix("service.proxy-protocol-from", text),
           [&](const base::IpPrefix& prefix) { c.proxy_protocol_from.push_back(prefix); });
  }
  r.number("service.origin-port-first", c.origin_port_first, 1024, 65000);
  read_dot_port(r, c);
}

void read_tls(Reader& r, Config& c) {
  c.tls_key_file = r.text("tls.key-file");
  c.tls_ticket_key_file = r.text("tls.ticket-key-file");
  c.tls_origin_trust_file = r.text("tls.origin-trust-file");
  read_dot_certificate(r, c);
  c.tls_origin_pull_certificate = r.text("tls.origin-pull-certificate");
  c.tls_origin_pull_key = r.text("tls.origin-pull-key");
  std::uint32_t handshake_s = 30;
  r.number("tls.handshake-s", handshake_s, 1, 600);
  c.tls_handshake = std::chrono::seconds(handshake_s);
  constexpr std::uint16_t kMost = l7::proxy::HandshakeLimit::kMost;
  r.number("tls.handshakes-per-prefix", c.tls_handshakes_per_prefix, 0, kMost);
  r.number("tls.handshakes-burst", c.tls_handshakes_burst, 1, kMost);
  if (c.tls_handshakes_burst < c.tls_handshakes_per_prefix) {
    r.fail({"fewer at once than in a second",
            "tls.handshakes-burst = " + std::to_string(c.tls_handshakes_burst),
            "give at least tls.handshakes-per-prefix, which is " +
                std::to_string(c.tls_handshakes_per_prefix)});
  }
  r.number("tls.buffer-mb", c.tls_buffer_mb, 1, 1U << 16);
}

void read_origins(Reader& r, Config& c) {
  r.number("l7.origin-connections", c.l7_origin_connections, 0, 1U << 20);
  r.number("l7.origin-requests", c.l7_origin_requests, 0, 1U << 20);
  r.number("l7.origin-pending", c.l7_origin_pending, 0, 1U << 20);
  r.number("l7.retry-percent", c.l7_retry_percent, 0, 100);
  r.number("l7.retry-floor", c.l7_retry_floor, 0, 1'000'000);
  r.number("l7.eject-failures", c.l7_eject_failures, 0, 1000);
  std::uint32_t eject_max_s = 0;
  r.number("l7.eject-max-s", eject_max_s, 1, 3600);
  c.l7_eject_max = std::chrono::seconds(eject_max_s);
  std::uint32_t race_ms = 0;
  r.number("l7.race-ms", race_ms, 0, 10'000);
  c.l7_race = std::chrono::milliseconds(race_ms);
  if (race_ms > 0 && race_ms < 10) {
    r.fail({"too short for any network", "l7.race-ms = " + std::to_string(race_ms),
            "give 10 to 10000, or 0 for never"});
  }
}

void read_traffic(Reader& r, const char* name, std::uint32_t& count) {
  r.number(name, count, 0, 1U << 16);
  if (count == 0 || (count >= ipc::TrafficTable::kWays && std::has_single_bit(count))) return;
  r.fail({"not a power of two from 8 on", std::string(name) + " = " + std::to_string(count),
          "give 0, 8, 16, 32 and so on up to 65536"});
}

void read_stages(Reader& r, Config& c) {
  switch (r.choice("exception.device", {"tap", "virtio-user", "none"})) {
    case 0:
      c.kernel_device = exception::KernelDevice::kTap;
      break;
    case 1:
      c.kernel_device = exception::KernelDevice::kVirtioUser;
      break;
    default:
      c.kernel_device.reset();
  }
  c.kernel_interface = r.text("exception.interface");
  if (c.kernel_interface.empty() || c.kernel_interface.size() > 15) {
    r.fail({"not an interface name", "exception.interface = " + c.kernel_interface,
            "give 1 to 15 characters"});
  }
  r.flag("exception.configure", c.kernel_configure);
  r.number("exception.host-rate", c.kernel_host_per_s, 0, 100'000'000);
  r.number("exception.link-rate", c.kernel_link_per_s, 0, 100'000'000);
  r.number("exception.echo-rate", c.echo_per_s, 0, 100'000'000);
  r.number("dns.udp-size", c.dns_udp_size, 512, 4096);
  c.dns_identity = r.text("dns.identity");
  c.dns_version = r.text("dns.version");
  for (const char* name : {"dns.identity", "dns.version"}) {
    if (r.text(name).size() <= 64) continue;
    r.fail({"longer than 64 octets", std::string(name) + " = " + r.text(name), "shorten it"});
  }
  c.dns_cookie_secret_file = r.text("dns.cookie-secret-file");
  read_tls(r, c);
  r.number("dns.rate-limit", c.dns_rate.answers_per_second, 0, 65535);
  r.number("dns.source-limit", c.dns_rate.source_per_second, 0, 65535);
  r.number("dns.negative-limit", c.dns_rate.negative_per_second, 0, 100'000'000);
  r.number("dns.total-limit", c.dns_rate.total_per_second, 0, 100'000'000);
  r.number("dns.rate-slip", c.dns_rate.slip, 0, 1000);
  r.number("dns.rate-prefix-v4", c.dns_rate.prefix_v4, 8, 32);
  r.number("dns.rate-prefix-v6", c.dns_rate.prefix_v6, 16, 128);
  for (const std::string& text : r.list("dns.rate-exempt")) {
    r.take(parse_prefix("dns.rate-exempt", text),
           [&](const base::IpPrefix& prefix) { c.dns_rate.exempt.push_back(prefix); });
  }
  r.take(parse_dns_name("dns.whoami", r.text("dns.whoami")),
         [&](std::string name) { c.dns_whoami = std::move(name); });
  r.number("dns.tcp-connections", c.dns_tcp_connections, 0, 1U << 20);
  r.number("dns.tcp-per-client", c.dns_tcp_per_client, 1, 65535);
  std::uint32_t idle_s = 10;
  r.number("dns.tcp-idle-s", idle_s, 1, 3600);
  c.dns_tcp_idle = std::chrono::seconds(idle_s);
  r.number("dns.tcp-buffer-mb", c.dns_tcp_buffer_mb, 1, 65536);
  r.number("dns.dot-connections", c.dns_dot_connections, 1, 1U << 20);
  r.number("dns.dot-buffer-mb", c.dns_dot_buffer_mb, 1, 65536);
  r.number("l7.clients", c.l7_clients, 1, 1U << 20);
  r.number("l7.requests", c.l7_requests, 1, 1U << 20);
  r.number("l7.origins", c.l7_origins, 1, 1U << 20);
  r.number("l7.http2-clients", c.l7_http2_clients, 0, 1U << 16);
  r.number("l7.encoders", c.l7_encoders, 0, 4096);
  r.number("l7.decoders", c.l7_decoders, 0, 4096);
  r.number("l7.buffer-mb", c.l7_buffer_mb, 1, 1U << 16);
  r.number("l7.body-max-mb", c.l7_body_max_mb, 1, 1U << 20);
  read_origins(r, c);
  read_traffic(r, "l7.zone-statistics", c.l7_zone_statistics);
  read_traffic(r, "l7.origin-statistics", c.l7_origin_statistics);
  c.l7_country_database = r.text("l7.country-database");
  c.l7_error_page = r.text("l7.error-page");
  std::uint32_t drain_s = 0;
  r.number("l7.drain-s", drain_s, 0, 3600);
  c.l7_drain = std::chrono::seconds(drain_s);
  c.colo = r.text("l7.colo");
  if (c.colo.size() != 3) {
    r.fail({"not three letters", "l7.colo = " + c.colo, "give a code such as AMS"});
  }
  c.node = r.text("l7.node");
  c.control_socket = r.text("path.control-socket");
  c.stats_file = r.text("path.stats");
  c.image_file = r.text("path.image");
  read_snapshot(r, c);
  r.choice("log.level", {"debug", "info", "warning", "error"});
  c.log_level = r.text("log.level");
  c.access_log = r.text("log.access");
  r.number("log.access-buffer-mb", c.access_log_buffer_mb, 1, 1024);
  if (!std::has_single_bit(c.access_log_buffer_mb)) {
    r.fail({"not a power of two",
            "log.access-buffer-mb = " + std::to_string(c.access_log_buffer_mb),
            "give 1, 2, 4, 8 and so on up to 1024"});
  }
}

base::Result<Config> convert(const po::variables_map& values) {
  Config config;
  Reader reader(values);
  read_port_and_topology(reader, config);
  read_addresses(reader, config);
  read_stages(reader, config);
  if (reader.error()) return *reader.error();
  return config;
}

// Where in the file the parser stumbled.
std::string place_of(const po::error& error, const std::string& path) {
  if (const auto* line = dynamic_cast<const po::invalid_syntax*>(&error)) {
    return base::place_of_line(path, line->tokens()) + "\"" + line->tokens() + "\"";
  }
  const auto* option = dynamic_cast<const po::error_with_option_name*>(&error);
  if (option == nullptr) return path;
  return base::place_of_setting(path, option->get_option_name()) + option->get_option_name();
}

// An error whose place is "NAME" or "NAME = VALUE" (several names: "NAME, NAME"), with that of the
// file before it.
base::Error in_file(base::Error error, const std::string& path) {
  const std::size_t equals = error.where.find(" = ");
  const std::string name = error.where.substr(0, error.where.find_first_of(" ,"));
  std::optional<std::string> value;
  if (equals != std::string::npos) value = error.where.substr(equals + 3);
  error.where = base::place_of_setting(path, name, value) + error.where;
  return error;
}

base::Result<void> store_file(const std::string& path, po::variables_map& values) {
  std::ifstream file(path);
  if (!file) {
    return base::Error{"cannot be read", path, "start from docs/examples/edge.conf"};
  }
  try {
    po::store(po::parse_config_file(file, setting_options()), values);
  } catch (const po::error& error) {
    return base::Error{error.what(), place_of(error, path),
                       "see docs/examples/edge.conf for every setting"};
  }
  return {};
}

}  // namespace

std::string usage() {
  std::ostringstream out;
  out << "Usage: brink-edge [--config FILE] [--SECTION.NAME VALUE ...] [-- DPDK ARGUMENTS]\n"
      << general_options() << setting_options();
  return out.str();
}

base::Result<Invocation> parse_arguments(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  po::variables_map values;
  try {
    po::options_description all;
    all.add(general_options()).add(setting_options());
    // No positional arguments: a stray word is an error, not silently ignored.
    const po::positional_options_description none;
    po::store(po::command_line_parser(Strings(arguments.begin(), end))
                  .options(all)
                  .positional(none)
                  .run(),
              values);
  } catch (const po::error& error) {
    return base::Error{error.what(), "command line", "see brink-edge --help"};
  }
  Invocation invocation;
  invocation.help = values.count("help") != 0;
  invocation.check_only = values.count("check") != 0;
  if (invocation.help) return invocation;
  // The first store of a value wins, so the command line overrides the file.
  std::string file;
  if (values.count("config") != 0) {
    file = values["config"].as<std::string>();
    const auto stored = store_file(file, values);
    if (!stored) return stored.error();
  }
  auto config = convert(values);
  if (!config) return in_file(config.error(), file);
  invocation.config = std::move(config).value();
  if (end != arguments.end()) invocation.config.eal.extra.assign(end + 1, arguments.end());
  return invocation;
}

}  // namespace brink::edge
