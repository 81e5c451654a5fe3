// Config: every setting of brink-edge, read from an INI file and overridden by the command line.
// Each is documented in docs/examples/edge.conf. Cold.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/ip.h"
#include "dataplane/base/ip_prefix.h"
#include "dataplane/base/result.h"
#include "dataplane/eal/arguments.h"
#include "dataplane/exception/kernel_port.h"
#include "dataplane/exception/rtnetlink.h"
#include "dataplane/net/mac.h"
#include "dataplane/port/eth_port.h"
#include "dataplane/snapshot/journal.h"
#include "dataplane/worker/idle.h"
#include "dns/guard/rate_limit.h"

namespace boost::program_options {
class options_description;
}

namespace brink::edge {

// Roles of a worker are ipc::kRoleDns and ipc::kRoleL7.
struct WorkerSpec {
  std::uint32_t cpu = 0;
  std::uint32_t roles = 0;
};

struct Config {
  eal::EalConfig eal;     // CPUs are filled in by the topology
  port::PortConfig port;  // likewise the number of queues
  std::uint16_t vlan_id = 0;

  std::uint32_t main_cpu = 0;
  std::vector<WorkerSpec> workers;  // empty: chosen from the machine
  worker::IdleMode idle = worker::IdleMode::kAdaptive;
  base::Duration idle_sleep_max = std::chrono::microseconds(500);

  std::optional<exception::InterfaceAddress> own_v4;
  std::optional<exception::InterfaceAddress> own_v6;
  std::optional<base::IpAddress> gateway_v4;
  std::optional<base::IpAddress> gateway_v6;
  std::vector<std::pair<base::IpAddress, net::MacAddress>> neighbours;  // never asked for

  std::vector<base::IpAddress> dns_addresses;
  std::vector<base::IpAddress> proxied_addresses;
  std::vector<std::uint16_t> http_ports;
  std::vector<std::uint16_t> https_ports;  // empty: no HTTPS
  std::uint16_t dot_port = 0;              // 0: no DNS over TLS
  std::uint16_t origin_port_first = 32768;
  std::vector<base::IpPrefix> proxy_protocol_from;  // relays that send PROXY headers

  std::optional<exception::KernelDevice> kernel_device = exception::KernelDevice::kTap;
  std::string kernel_interface = "brink0";
  bool kernel_configure = true;
  std::uint32_t kernel_host_per_s = 20000;
  std::uint32_t kernel_link_per_s = 1000;
  std::uint32_t echo_per_s = 1000;

  std::uint16_t dns_udp_size = 1232;
  std::string dns_identity;                                          // empty: not told
  std::string dns_version;                                           // likewise
  std::string dns_whoami;                                            // wire name; empty: none
  std::string dns_cookie_secret_file;                                // empty: drawn at the start
  dns::guard::RateLimiterOptions dns_rate{.answers_per_second = 0};  // without its key
  std::uint32_t dns_tcp_connections = 4096;  // of a worker; 0: no DNS over TCP
  std::uint32_t dns_tcp_per_client = 128;
  base::Duration dns_tcp_idle = std::chrono::seconds(10);
  std::uint32_t dns_tcp_buffer_mb = 16;
  std::uint32_t dns_dot_connections = 1024;
  std::uint32_t dns_dot_buffer_mb = 16;

  std::string tls_key_file;              // empty: no private key of a certificate opens
  std::string tls_ticket_key_file;       // empty: drawn at the start
  std::string tls_origin_trust_file;     // PEM; empty: nobody is trusted
  std::string tls_dot_certificate_file;  // PEM, with its key; both or neither
  std::string tls_dot_key_file;
  std::string tls_dot_host;  // whose certificate of the image DNS over TLS shows; empty: nobody's
  std::string tls_origin_pull_certificate;  // PEM; empty: the operator has none
  std::string tls_origin_pull_key;
  base::Duration tls_handshake = std::chrono::seconds(30);
  std::uint16_t tls_handshakes_per_prefix = 200;  // a second, of a worker; 0: no limit
  std::uint16_t tls_handshakes_burst = 1000;
  std::uint32_t tls_buffer_mb = 8;

  std::uint32_t l7_clients = 4096;
  std::uint32_t l7_requests = 1024;
  std::uint32_t l7_http2_clients = 1024;  // 0: none
  std::uint32_t l7_origins = 2048;
  std::uint32_t l7_encoders = 32;  // of each coding; 0: none
  std::uint32_t l7_decoders = 4;   // likewise
  std::uint32_t l7_buffer_mb = 64;
  std::uint32_t l7_body_max_mb = 512;
  std::uint32_t l7_origin_connections = 0;  // of a worker to one origin address; 0: no limit
  std::uint32_t l7_origin_requests = 0;     // likewise
  std::uint32_t l7_origin_pending = 0;      // likewise
  std::uint32_t l7_retry_percent = 20;
  std::uint32_t l7_retry_floor = 10;
  std::uint32_t l7_eject_failures = 5;  // 0: never
  base::Duration l7_eject_max = std::chrono::seconds(10);
  base::Duration l7_race = std::chrono::milliseconds(250);  // 0: never
  std::uint32_t l7_zone_statistics = 512;    // zones that a worker counts by name; 0: none
  std::uint32_t l7_origin_statistics = 512;  // likewise origins
  std::string l7_error_page;        // path; empty: the edge's own
  std::string l7_country_database;  // path; empty: countries are not known
  base::Duration l7_drain = std::chrono::seconds(5);
  std::string colo = "LAB";
  std::string node = "edge";

  std::string control_socket = "/run/brink/edge.sock";
  std::string stats_file = "/run/brink/edge.stats";
  std::string image_file = "/var/lib/brink/edge.image";
  snapshot::SyncPolicy log_sync = snapshot::SyncPolicy::kAlways;
  std::chrono::milliseconds log_sync_interval{1000};
  std::uint64_t log_size_max = std::uint64_t{256} << 20;  // octets
  std::uint64_t image_memory_max = ~std::uint64_t{0};     // octets, of one copy
  std::string log_level = "info";
  std::string access_log;                  // path; empty: none
  std::uint32_t access_log_buffer_mb = 4;  // of a worker
};

// What the command line asked for beside running.
struct Invocation {
  Config config;
  bool check_only = false;  // --check: read everything, start nothing
  bool help = false;
};

// parse_arguments reads --config FILE and overrides such as --port.device=auto:eth0; what follows
// "--" goes to DPDK unread. An Error names the field, the value and the remedy.
base::Result<Invocation> parse_arguments(const std::vector<std::string>& arguments);

// The options beside the settings, and the settings: what help and the manual are made from.
boost::program_options::options_description general_options();
boost::program_options::options_description setting_options();

// The text of --help.
std::string usage();

}  // namespace brink::edge
