#include "dataplane/edge/config.h"

#include <boost/program_options.hpp>

#include <algorithm>
#include <bit>
#include <fstream>
#include <sstream>

#include "dataplane/base/settings_file.h"
#include "dataplane/edge/config_value.h"
#include "dataplane/ipc/traffic.h"

namespace brink::edge {
namespace {

namespace po = boost::program_options;
using Strings = std::vector<std::string>;

// Seven plain HTTP ports that browsers and CDNs customarily use.
const Strings kHttpPorts = {"80", "8080", "8880", "2052", "2082", "2086", "2095"};
// And six for HTTPS.
const Strings kHttpsPorts = {"443", "2053", "2083", "2087", "2096", "8443"};

}  // namespace

po::options_description setting_options() {
  po::options_description all("Settings (file: [section] name = value)", 100);
  const auto text = [] { return po::value<std::string>(); };
  const auto list = [] { return po::value<Strings>()->composing(); };
  auto add = all.add_options();
  add("eal.hugepages", text()->default_value("auto"), "auto, required or off");
  add("eal.memory-mb", text()->default_value("256"), "memory for packets");
  add("eal.file-prefix", text()->default_value("brink"), "name under /var/run/dpdk");
  add("eal.telemetry", text()->default_value("no"), "DPDK's telemetry socket");
  add("eal.log-level", text()->default_value("4"), "of DPDK: 1 to 8");
  add("port.device", text(), "auto:IFACE, a PCI address, or net_DRIVER,ARGUMENTS");
  add("port.rx-descriptors", text()->default_value("1024"), "of each receive queue");
  add("port.tx-descriptors", text()->default_value("1024"), "of each transmit queue");
  add("port.mtu", text()->default_value("0"), "0 leaves it");
  add("port.vlan", text()->default_value("0"), "0: untagged");
  add("port.promiscuous", text()->default_value("no"), "take frames for other stations");
  add("topology.main-cpu", text()->default_value("0"), "CPU of housekeeping");
  add("topology.worker", list(), "CPU:ROLES, repeatable; ROLES dns, l7 or dns+l7");
  add("topology.idle", text()->default_value("adaptive"), "poll or adaptive");
  add("topology.idle-sleep-max-us", text()->default_value("500"),
      "longest sleep of an idle worker");
  add("address.own-v4", text(), "of the box, with prefix length; source to origins");
  add("address.own-v6", text(), "likewise");
  add("address.gateway-v4", text(), "next hop for what is not on the link");
  add("address.gateway-v6", text(), "likewise");
  add("address.neighbour", list(), "ADDRESS=MAC, repeatable: known, never asked for");
  add("service.dns", list(), "address that answers DNS, repeatable");
  add("service.proxied", list(), "address that answers HTTP, repeatable");
  add("service.http-port", list()->default_value(kHttpPorts, "80 and six more"), "repeatable");
  add("service.https-port", list()->default_value(kHttpsPorts, "443 and five more"),
      "repeatable, none: no HTTPS");
  add("service.origin-port-first", text()->default_value("32768"), "to 65535: the workers' ports");
  add("exception.device", text()->default_value("tap"), "tap, virtio-user or none");
  add("exception.interface", text()->default_value("brink0"), "name of the kernel's interface");
  add("exception.configure", text()->default_value("yes"), "give it our addresses and routes");
  add("exception.host-rate", text()->default_value("20000"), "packets/s to the box, 0 no limit");
  add("exception.link-rate", text()->default_value("1000"), "ARP and NDP/s, 0 no limit");
  add("exception.echo-rate", text()->default_value("1000"), "echo replies/s of a worker");
  add("dns.udp-size", text()->default_value("1232"), "largest UDP response");
  add("dns.identity", text()->default_value(""), "name of this node for who asks by NSID");
  add("dns.version", text()->default_value(""), "answer to version.bind and version.server");
  add("dns.cookie-secret-file", text()->default_value(""),
      "secrets of DNS cookies, the same on every node; without it drawn at the start");
  add("tls.key-file", text()->default_value(""),
      "the key file of brink-control, which private keys of certificates are sealed with");
  add("tls.ticket-key-file", text()->default_value(""),
      "secret of session tickets, the same on every node; without it drawn at the start");
  add("tls.origin-trust-file", text()->default_value("/etc/ssl/certs/ca-certificates.crt"),
      "authorities that sign certificates of origins, PEM, empty none");
  add("tls.handshake-s", text()->default_value("10"), "until a handshake must be done");
  add("tls.buffer-mb", text()->default_value("8"), "decrypted octets that wait, of a worker");
  add("dns.rate-limit", text()->default_value("0"),
      "like UDP answers a second of a worker to one network, 0 no limit");
  add("dns.source-limit", text()->default_value("0"),
      "all UDP answers a second of a worker to one network, 0 no limit");
  add("dns.negative-limit", text()->default_value("0"),
      "negative UDP answers a second of a worker to anybody, 0 no limit");
  add("dns.total-limit", text()->default_value("0"),
      "all UDP answers a second of a worker to anybody, 0 no limit");
  add("dns.rate-slip", text()->default_value("2"),
      "one in so many beyond it is sent truncated, 0 none");
  add("dns.rate-prefix-v4", text()->default_value("24"), "bits that make a network");
  add("dns.rate-prefix-v6", text()->default_value("56"), "likewise");
  add("dns.rate-exempt", list(), "network that has no limit, repeatable");
  add("dns.whoami", text()->default_value(""), "name that answers with the client's address");
  add("dns.tcp-connections", text()->default_value("4096"), "over TCP of a worker, 0 none");
  add("dns.tcp-per-client", text()->default_value("128"),
      "of them from one IPv4 address or IPv6 /64");
  add("dns.tcp-idle-s", text()->default_value("10"), "until one without a query is closed");
  add("dns.tcp-buffer-mb", text()->default_value("16"), "their TCP buffers of a worker");
  add("l7.clients", text()->default_value("4096"), "client connections of a worker");
  add("l7.requests", text()->default_value("1024"), "requests in flight of a worker");
  add("l7.origins", text()->default_value("2048"), "origin connections of a worker");
  add("l7.http2-clients", text()->default_value("1024"),
      "of a worker's connections, those over HTTP/2; 0: it is not offered");
  add("l7.encoders", text()->default_value("32"),
      "response bodies that a worker compresses at once, in each of gzip, br and zstd; 0: none");
  add("l7.decoders", text()->default_value("4"),
      "response bodies that a worker decodes at once, in each of gzip and br; 0: none");
  add("l7.buffer-mb", text()->default_value("64"), "TCP buffers of a worker");
  add("l7.body-max-mb", text()->default_value("512"), "largest request body");
  add("l7.zone-statistics", text()->default_value("512"),
      "zones that a worker counts each by its name, a power of two from 8 on; 0: none");
  add("l7.origin-statistics", text()->default_value("512"), "likewise origins");
  add("l7.country-database", text()->default_value(""),
      "file in MaxMind's format that says which country an address is of, empty none");
  add("l7.error-page", text()->default_value(""),
      "file with the page for errors that the edge answers with, empty: its own");
  add("l7.drain-s", text()->default_value("5"), "how long a stop waits for clients");
  add("l7.colo", text()->default_value("LAB"), "three letters, in the ray id");
  add("l7.node", text()->default_value("edge"), "name of this node in traces");
  add("path.control-socket", text()->default_value("/run/brink/edge.sock"),
      "socket that brink-control connects to");
  add("path.stats", text()->default_value("/run/brink/edge.stats"), "statistics segment");
  add("path.image", text()->default_value("/var/lib/brink/edge.image"),
      "last image; the log of changes since lies beside it");
  add("snapshot.log-sync", text()->default_value("always"),
      "when changes reach the disk: always (before they are acknowledged), interval or never");
  add("snapshot.log-sync-interval-ms", text()->default_value("1000"), "with log-sync = interval");
  add("snapshot.log-size-max-mb", text()->default_value("256"),
      "a larger log is compacted into the image");
  add("snapshot.memory-max-mb", text()->default_value("0"),
      "of one copy of the image, 0 no limit: changes beyond it are refused");
  add("log.level", text()->default_value("info"), "debug, info, warning or error");
  add("log.access", text()->default_value(""),
      "file with a line for each HTTP request, empty none");
  add("log.access-buffer-mb", text()->default_value("4"),
      "lines of a worker that wait for the disk, a power of two");
  return all;
}

po::options_description general_options() {
  po::options_description all("Commands");
  auto add = all.add_options();
  add("help,h", "print this");
  add("check", "read the settings, start nothing");
  add("config,c", po::value<std::string>(), "settings file");
  return all;
}

namespace {

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
  r.number("service.origin-port-first", c.origin_port_first, 1024, 65000);
}

void read_tls(Reader& r, Config& c) {
  c.tls_key_file = r.text("tls.key-file");
  c.tls_ticket_key_file = r.text("tls.ticket-key-file");
  c.tls_origin_trust_file = r.text("tls.origin-trust-file");
  std::uint32_t handshake_s = 10;
  r.number("tls.handshake-s", handshake_s, 1, 600);
  c.tls_handshake = std::chrono::seconds(handshake_s);
  r.number("tls.buffer-mb", c.tls_buffer_mb, 1, 1U << 16);
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
  r.number("l7.clients", c.l7_clients, 1, 1U << 20);
  r.number("l7.requests", c.l7_requests, 1, 1U << 20);
  r.number("l7.origins", c.l7_origins, 1, 1U << 20);
  r.number("l7.http2-clients", c.l7_http2_clients, 0, 1U << 16);
  r.number("l7.encoders", c.l7_encoders, 0, 4096);
  r.number("l7.decoders", c.l7_decoders, 0, 4096);
  r.number("l7.buffer-mb", c.l7_buffer_mb, 1, 1U << 16);
  r.number("l7.body-max-mb", c.l7_body_max_mb, 1, 1U << 20);
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
