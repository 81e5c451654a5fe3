// Edge::start and its steps, and the way down.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "dataplane/edge/cookie_secrets.h"
#include "dataplane/edge/edge.h"
#include "dataplane/edge/error_page.h"
#include "dataplane/edge/operator_identity.h"
#include "dataplane/edge/origin_trust.h"
#include "dataplane/edge/random.h"
#include "dataplane/edge/ticket_keys.h"

namespace brink::edge {
namespace {

constexpr std::uint32_t kPorts = 2;  // in the statistics: the port, and the kernel's interface
// Packets of a queue pair that a driver may hold beside its descriptors (AF_XDP's fill ring).
constexpr std::uint32_t kDriverPackets = 4096;

std::uint64_t unix_now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

base::Result<void> make_parent(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (!failed) return {};
  return base::Error{"cannot make its directory: " + failed.message(), path,
                     "make it, or set another path"};
}

int run_worker(void* run) {
  worker::run(*static_cast<const worker::RunConfig*>(run));
  return 0;
}

template <typename T>
void copy_text(T& out, const std::string& text) {
  out[text.copy(out, sizeof out - 1)] = '\0';
}

// Unix time minus the workers' clock.
base::Duration wall_offset() {
  const base::Time now = worker::TscClock(rte_get_tsc_hz()).at(rte_rdtsc());
  return base::Duration(static_cast<std::int64_t>(unix_now_ns())) - now.time_since_epoch();
}

}  // namespace

base::Result<std::unique_ptr<Edge>> Edge::start(const Config& config) {
  std::unique_ptr<Edge> edge(new Edge(config));
  for (const auto step :
       {&Edge::start_environment, &Edge::make_memory, &Edge::open_port, &Edge::open_kernel_path,
        &Edge::load_image, &Edge::read_tls_files, &Edge::read_countries,
        &Edge::read_page, &Edge::make_stages, &Edge::start_workers}) {
    const auto done = (edge.get()->*step)();
    if (!done) return done.error();
  }
  return edge;
}

void Edge::say_fallback(const std::string& sentence) {
  fallbacks_.push_back(sentence);
  spdlog::warn("fallback: {}", sentence);
}

base::Result<void> Edge::start_environment() {
  auto topology = make_topology(config_, available_cpus());
  if (!topology) return topology.error();
  topology_ = std::move(topology).value();
  for (const std::string& sentence : topology_.fallbacks) say_fallback(sentence);
  for (const std::string* path :
       {&config_.control_socket, &config_.stats_file, &config_.image_file}) {
    const auto made = make_parent(*path);
    if (!made) return made;
  }
  config_.eal.main_cpu = topology_.main_cpu;
  for (const WorkerSpec& worker : topology_.workers) {
    config_.eal.worker_cpus.push_back(worker.cpu);
  }
  auto environment = eal::Environment::start(config_.eal);
  if (!environment) return environment.error();
  environment_ = std::move(environment).value();
  if (!environment_->fallback().empty()) say_fallback(environment_->fallback());
  return {};
}

base::Result<void> Edge::make_memory() {
  const auto count = static_cast<std::uint32_t>(topology_.workers.size());
  auto stats = ipc::StatsSegment::create(
      config_.stats_file, count, kPorts,
      {.zones = config_.l7_zone_statistics, .origins = config_.l7_origin_statistics});
  if (!stats) return stats.error();
  stats_ = std::move(stats).value();
  stats_->header().tsc_hz = rte_get_tsc_hz();
  stats_->header().started_unix_ns = unix_now_ns();

  const auto data_size = static_cast<std::uint16_t>(
      std::max<int>(2048, config_.port.mtu + static_cast<int>(net::kHeaderSizeMax)));
  // A worker's packets may at once be in its receive ring, in any transmit ring and on every way to
  // another thread; with that many there is always one for the next frame.
  const std::uint32_t in_flight =
      count * config_.port.tx_descriptors + steer::Mesh::capacity(count) + 4 * port::kBurst;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = std::to_string(i);
    auto receive = eal::make_pool(
        "receive_" + name, config_.port.rx_descriptors + in_flight + kDriverPackets, data_size, -1);
    if (!receive) return receive.error();
    receive_pools_.push_back(std::move(receive).value());
    auto segments = eal::make_pool(
        "segment_" + name,
        config_.port.tx_descriptors + steer::kTransmitRingSize + 4 * port::kBurst, data_size, -1);
    if (!segments) return segments.error();
    segment_pools_.push_back(std::move(segments).value());
    wanted_.push_back(std::make_unique<net::WantedNeighbours>());
  }
  auto mesh = steer::Mesh::create(count);
  if (!mesh) return mesh.error();
  mesh_ = std::move(mesh).value();

  base::HashKey key;
  if (auto drawn = draw_random(key); !drawn) return drawn.error();
  auto steering = make_steering(config_, topology_, key);
  if (!steering) return steering.error();
  steering_ = std::move(steering).value();
  routes_ = make_routes(config_);
  for (const auto& [address, mac] : config_.neighbours) neighbours_.put(address, mac);
  return {};
}

base::Result<void> Edge::open_port() {
  config_.port.queues = static_cast<std::uint32_t>(topology_.workers.size());
  std::vector<rte_mempool*> pools;
  for (const eal::Pool& pool : receive_pools_) pools.push_back(pool.get());
  std::vector<std::string> fallbacks;
  auto port = port::EthPort::open(config_.port, pools, fallbacks);
  if (!port) return port.error();
  for (const std::string& sentence : fallbacks) say_fallback(sentence);
  port_ = std::move(port).value();
  if (port_->queues() < topology_.workers.size()) {
    say_fallback(port_->name() + " has " + std::to_string(port_->queues()) + " queue pair(s) for " +
                 std::to_string(topology_.workers.size()) +
                 " workers: the others reach it by rings");
  }
  if (port_->driver() == "net_af_packet") {
    say_fallback(
        "af_packet shares the interface with the kernel, which must drop what it gets there");
  }
  spdlog::info("port {} ({}): {} queue pair(s), station {}, MTU {}", port_->name(), port_->driver(),
               port_->queues(), port_->mac().text().view(), port_->mtu());
  return {};
}

base::Result<void> Edge::open_kernel_path() {
  if (!config_.kernel_device) {
    say_fallback("no kernel path: the box itself is not reachable by this port");
    return {};
  }
  exception::KernelPortConfig kernel;
  kernel.device = *config_.kernel_device;
  kernel.interface = config_.kernel_interface;
  kernel.mac = port_->mac();
  kernel.mtu = port_->mtu();
  kernel.vlan_id = config_.vlan_id;
  auto opened = exception::KernelPort::open(kernel, *mesh_);
  if (!opened) return opened.error();
  kernel_ = std::move(opened).value();
  if (config_.kernel_configure) {
    std::vector<exception::InterfaceAddress> addresses;
    std::vector<base::IpAddress> gateways;
    for (const auto& own : {config_.own_v4, config_.own_v6}) {
      if (own) addresses.push_back(*own);
    }
    for (const auto& gateway : {config_.gateway_v4, config_.gateway_v6}) {
      if (gateway) gateways.push_back(*gateway);
    }
    const auto done = exception::set_up_interface(config_.kernel_interface, addresses, gateways);
    if (!done) return done;
  }
  auto feed = exception::NeighbourFeed::open(config_.kernel_interface, neighbours_);
  if (!feed) return feed.error();
  feed_ = std::move(feed).value();
  return {};
}

// The nodes that workers run on, each once.
std::vector<int> Edge::numa_nodes() const {
  std::vector<int> nodes;
  for (std::uint32_t i = 0; i < topology_.workers.size(); ++i) {
    const auto node = static_cast<int>(rte_lcore_to_socket_id(eal::lcore_of_worker(i)));
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

std::size_t Edge::copy_for(std::uint32_t worker) const {
  const std::vector<int> nodes = numa_nodes();
  const auto node = static_cast<int>(rte_lcore_to_socket_id(eal::lcore_of_worker(worker)));
  return static_cast<std::size_t>(std::find(nodes.begin(), nodes.end(), node) - nodes.begin());
}

// Static stability: what was served last is served again, with nobody to ask.
base::Result<void> Edge::load_image() {
  const auto workers = static_cast<std::uint32_t>(topology_.workers.size());
  auto rcu = make_rcu(workers);
  if (!rcu) return rcu.error();
  rcu_ = std::move(rcu).value();
  ImageStoreOptions options;
  options.numa_nodes = numa_nodes();
  options.huge_pages = config_.eal.hugepages != eal::Hugepages::kOff;
  options.memory_limit_bytes = config_.image_memory_max;
  images_ = std::make_unique<ImageStore>(rcu_.get(), workers, std::move(options));

  snapshot::JournalOptions journal;
  journal.path = config_.image_file;
  journal.policy = config_.log_sync;
  journal.interval = config_.log_sync_interval;
  std::vector<std::string> faults;
  auto disk = Disk::open(journal, config_.log_size_max, *images_, {}, faults);
  if (!disk) return disk.error();
  disk_ = std::move(disk).value();
  for (const std::string& fault : faults) say_fallback(fault);
  auto cookies = CookieSecretsStore::open(config_.dns_cookie_secret_file, rcu_.get());
  if (!cookies) return cookies.error();
  cookies_ = std::move(cookies).value();
  auto control = Control::open(config_.control_socket, *images_, *disk_, *cookies_);
  if (!control) return control.error();
  control_ = std::move(control).value();
  return {};
}

worker::WorkerConfig Edge::worker_config(std::uint32_t index) {
  worker::WorkerConfig config;
  config.index = static_cast<std::uint8_t>(index);
  config.link = {port_->mac(), config_.vlan_id, config_.port.promiscuous};
  config.mtu = port_->mtu();
  config.checksums_by_port = port_->checksums_sent_packets();
  config.kernel_path = kernel_ != nullptr;
  config.queue = port_->queue(index);
  config.transmit_owner = static_cast<std::uint8_t>(index % port_->queues());
  config.steering = steering_.get();
  config.mesh = mesh_.get();
  config.neighbours = &neighbours_;
  config.routes = &routes_;
  config.wanted = wanted_[index].get();
  config.segment_pool = segment_pools_[index].get();
  config.counters = &stats_->worker(index).counters;
  config.latency = &stages_[index]->latency();
  config.stages = stages_[index]->table();
  config.kernel_link_per_s = config_.kernel_link_per_s;
  config.kernel_host_per_s = config_.kernel_host_per_s;
  config.echo_per_s = config_.echo_per_s;
  return config;
}

L7Config Edge::l7_config(std::uint32_t worker, std::uint32_t position) {
  L7Config config;
  config.clients = config_.l7_clients;
  config.requests = config_.l7_requests;
  config.origins = config_.l7_origins;
  config.http2_clients = config_.l7_http2_clients;
  config.encoders = config_.l7_encoders;
  config.decoders = config_.l7_decoders;
  config.buffer_mb = config_.l7_buffer_mb;
  config.body_max_mb = config_.l7_body_max_mb;
  config.mtu = port_->mtu();
  if (config_.own_v4) config.source_v4 = config_.own_v4->address;
  if (config_.own_v6) config.source_v6 = config_.own_v6->address;
  config.ports = steering_->config().ports.range_of(static_cast<std::uint8_t>(position));
  config.edge_addresses = config_.dns_addresses;
  config.edge_addresses.insert(config.edge_addresses.end(), config_.proxied_addresses.begin(),
                               config_.proxied_addresses.end());
  for (const auto& own : {config_.own_v4, config_.own_v6}) {
    if (own) config.edge_addresses.push_back(own->address);
  }
  config.https_ports = config_.https_ports;
  config.proxy_protocol_from = config_.proxy_protocol_from;
  config.origin_limits = {.connections = config_.l7_origin_connections,
                          .requests = config_.l7_origin_requests,
                          .pending = config_.l7_origin_pending};
  config.retries.percent = config_.l7_retry_percent;
  config.retries.floor = config_.l7_retry_floor;
  config.circuit.failures = config_.l7_eject_failures;
  config.circuit.open_max = config_.l7_eject_max;
  config.race_delay = config_.l7_race;
  config.private_keys = private_keys_.get();
  config.operator_identity = &operator_identity_;
  config.handshake = config_.tls_handshake;
  config.handshakes = {config_.tls_handshakes_per_prefix, config_.tls_handshakes_burst};
  config.tls_buffer_mb = config_.tls_buffer_mb;
  config.countries = &countries_->pointer();
  config.error_page = &error_page_->pointer();
  config.access_log = access_log_ ? &access_log_->ring(worker) : nullptr;
  config.zone_slots = stats_->zone_slots(worker);
  config.origin_slots = stats_->origin_slots(worker);
  config.colo = config_.colo;
  config.node = config_.node;
  config.wall_offset = wall_offset();
  return config;
}

DnsStreamConfig Edge::dns_stream_config() const {
  DnsStreamConfig config;
  config.connections = config_.dns_tcp_connections;
  config.per_client = config_.dns_tcp_per_client;
  config.idle = config_.dns_tcp_idle;
  config.buffer_mb = config_.dns_tcp_buffer_mb;
  config.mtu = port_->mtu();
  config.settings = "dns.tcp-connections, dns.tcp-buffer-mb";
  return config;
}

DnsStreamConfig Edge::dot_config() const {
  DnsStreamConfig config = dns_stream_config();
  config.connections = config_.dns_dot_connections;
  config.buffer_mb = config_.dns_dot_buffer_mb;
  config.settings = "dns.dot-connections, dns.dot-buffer-mb";
  config.dot = {.private_keys = private_keys_.get(),
                .certificate = dot_certificate_.get(),
                .host = config_.tls_dot_host,
                .handshake = config_.tls_handshake};
  return config;
}

// Files that TLS is served with.
base::Result<void> Edge::read_tls_files() {
  private_keys_ = std::make_unique<l7::credentials::PrivateKeys>(config_.tls_key_file);
  const auto key_file = private_keys_->load();
  if (!key_file) return key_file.error();
  if (!key_file.value() && !config_.tls_key_file.empty()) {
    spdlog::warn("the key file {} is not there yet: no private key opens until it is",
                 config_.tls_key_file);
  }
  auto secret = read_ticket_secret(config_.tls_ticket_key_file);
  if (!secret) return secret.error();
  ticket_secret_ = secret.value();
  dot_certificate_ = std::make_unique<DotCertificateStore>(rcu_.get());
  if (!config_.tls_dot_certificate_file.empty()) {
    auto certificate = DotCertificate::read(dot_files());
    if (!certificate) return certificate.error();
    dot_certificate_->publish(std::move(certificate).value());
  }
  auto own =
      read_operator_identity(config_.tls_origin_pull_certificate, config_.tls_origin_pull_key);
  if (!own) return own.error();
  if (auto good = check_operator_identity(own.value()); !good) return good.error();
  operator_identity_ = std::move(own).value();
  const std::string& trust_file = config_.tls_origin_trust_file;
  if (!trust_file.empty() && !std::filesystem::exists(trust_file)) {
    say_fallback("no file " + trust_file +
                 ": certificates of origins are trusted only where their zone names an authority");
    return {};
  }
  auto trust = read_origin_trust(trust_file);
  if (!trust) return trust.error();
  origin_trust_ = std::move(trust).value();
  return {};
}

base::Result<void> Edge::read_countries() {
  countries_ = std::make_unique<Published<l7::country::Database>>(rcu_.get());
  if (config_.l7_country_database.empty()) return {};
  auto database =
      l7::country::Database::open(config_.l7_country_database, "l7.country-database");
  if (!database) return database.error();
  spdlog::info("countries: {}", database.value()->text());
  countries_->publish(std::move(database).value());
  return {};
}

base::Result<void> Edge::read_page() {
  error_page_ = std::make_unique<Published<std::string>>(rcu_.get());
  if (config_.l7_error_page.empty()) return {};
  auto page = read_error_page(config_.l7_error_page);
  if (!page) return page.error();
  error_page_->publish(std::move(page).value());
  return {};
}

base::Result<void> Edge::make_stages() {
  if (!config_.access_log.empty()) {
    auto log = AccessLog::start({.path = config_.access_log,
                                 .node = config_.node,
                                 .colo = config_.colo,
                                 .workers = static_cast<std::uint32_t>(topology_.workers.size()),
                                 .ring_bytes = std::size_t{config_.access_log_buffer_mb} << 20});
    if (!log) return log.error();
    access_log_ = std::move(log).value();
  }
  std::uint32_t position = 0;
  for (std::uint32_t i = 0; i < topology_.workers.size(); ++i) {
    StagesConfig config;
    config.copy = copy_for(i);
    config.dns.udp_size_max = config_.dns_udp_size;
    config.dns.identity = config_.dns_identity;
    config.dns.version = config_.dns_version;
    config.dns.whoami = config_.dns_whoami;
    config.cookies = &cookies_->published();
    config.wall_offset = wall_offset();
    config.dns.keepalive_100ms =
        static_cast<std::uint16_t>(config_.dns_tcp_idle / std::chrono::milliseconds(100));
    if (config_.dns_rate.limits_anything()) {
      config.rate = config_.dns_rate;
      if (auto drawn = draw_random(config.rate->key); !drawn) return drawn.error();
    }
    const std::uint32_t roles = topology_.workers[i].roles;
    if ((roles & ipc::kRoleDns) != 0 && config_.dns_tcp_connections > 0) {
      config.dns_stream = dns_stream_config();
    }
    if ((roles & ipc::kRoleDns) != 0 && config_.dot_port != 0) {
      config.dot = dot_config();
      config.dot_port = config_.dot_port;
    }
    config.tls = {ticket_secret_, origin_trust_, wall_offset()};
    if ((roles & ipc::kRoleL7) != 0) config.l7 = l7_config(i, position++);
    auto stages = Stages::create(config, *images_, stats_->worker(i));
    if (!stages) return stages.error();
    stages_.push_back(std::move(stages).value());
  }
  return {};
}

base::Result<void> Edge::start_workers() {
  for (std::uint32_t i = 0; i < topology_.workers.size(); ++i) {
    ipc::WorkerStats& stats = stats_->worker(i);
    const unsigned lcore = eal::lcore_of_worker(i);
    stats.cpu = topology_.workers[i].cpu;
    stats.numa_node = rte_lcore_to_socket_id(lcore);
    stats.roles = topology_.workers[i].roles;
    workers_.push_back(std::make_unique<worker::Worker>(worker_config(i)));
    runs_.push_back({workers_[i].get(), &stats, &stages_[i]->latency(), rcu_.get(), &stop_workers_,
                     config_.idle, config_.idle_sleep_max, rte_get_tsc_hz()});
  }
  std::string text;
  for (const std::string& sentence : fallbacks_) text += sentence + "\n";
  copy_text(stats_->header().fallbacks, text);
  copy_text(stats_->port(0).name, config_.port.device);
  copy_text(stats_->port(0).driver, port_->driver());
  if (kernel_) {
    copy_text(stats_->port(1).name, config_.kernel_interface);
    copy_text(stats_->port(1).driver, kernel_->port().driver());
  }
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const unsigned lcore = eal::lcore_of_worker(i);
    if (rte_eal_remote_launch(run_worker, &runs_[i], lcore) != 0) {
      return base::Error{"cannot start worker " + std::to_string(i), "", "see the lines above"};
    }
    ++workers_running_;
    spdlog::info("worker {} on CPU {}:{}{}", i, topology_.workers[i].cpu,
                 (topology_.workers[i].roles & ipc::kRoleDns) != 0 ? " dns" : "",
                 (topology_.workers[i].roles & ipc::kRoleL7) != 0 ? " l7" : "");
  }
  return {};
}

Edge::~Edge() {
  stop_workers_.store(true, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < workers_running_; ++i) rte_eal_wait_lcore(eal::lcore_of_worker(i));
  workers_.clear();
  stages_.clear();
  access_log_.reset();
  control_.reset();
  disk_.reset();
  feed_.reset();
  // Rings hold packets of every pool, ports hold packets in their queues: both before the pools.
  if (mesh_) mesh_->drain();
  if (port_) port_.reset();
  if (mesh_) mesh_->drain();
  kernel_.reset();
  images_.reset();
  mesh_.reset();
  segment_pools_.clear();
  receive_pools_.clear();
  stats_.reset();
  environment_.reset();
}

}  // namespace brink::edge
