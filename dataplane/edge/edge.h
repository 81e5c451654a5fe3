// Edge: everything that brink-edge is made of, in the order in which it is built and, backwards,
// taken down. Main thread.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/eal/environment.h"
#include "dataplane/eal/pool.h"
#include "dataplane/edge/access_log.h"
#include "dataplane/edge/config.h"
#include "dataplane/edge/control.h"
#include "dataplane/edge/disk.h"
#include "dataplane/edge/dot_certificates.h"
#include "dataplane/edge/image_store.h"
#include "dataplane/edge/l7_stage.h"
#include "dataplane/edge/published.h"
#include "dataplane/edge/stages.h"
#include "dataplane/edge/topology.h"
#include "dataplane/exception/kernel_port.h"
#include "dataplane/exception/rtnetlink.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/net/neighbour.h"
#include "dataplane/net/wanted_neighbours.h"
#include "dataplane/port/eth_port.h"
#include "dataplane/secret/sealed_box.h"
#include "dataplane/steer/mesh.h"
#include "dataplane/worker/run.h"
#include "dataplane/worker/worker.h"
#include "l7/country/database.h"
#include "l7/credentials/private_keys.h"

namespace brink::edge {

class Edge {
 public:
  // Builds everything and starts the workers.
  static base::Result<std::unique_ptr<Edge>> start(const Config& config);

  // Stops the workers, then takes everything down: ports stopped, interfaces and files gone.
  ~Edge();
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  // Housekeeping until `stop`: the kernel's packets, control, neighbours, link state, statistics.
  // `reload` is taken back when the files that can change meanwhile have been read again.
  base::Result<void> housekeep(const std::atomic<bool>& stop, std::atomic<bool>& reload);

  // Lets connections end: none is accepted any more, and housekeeping goes on until the clients are
  // gone or config.l7_drain is over.
  base::Result<void> drain();

 private:
  explicit Edge(const Config& config) : config_(config) {}

  // assembly.cc, in this order
  base::Result<void> start_environment();
  base::Result<void> make_memory();
  base::Result<void> open_port();
  base::Result<void> open_kernel_path();
  base::Result<void> load_image();
  base::Result<void> read_tls_files();
  base::Result<void> read_countries();
  base::Result<void> read_page();
  base::Result<void> make_stages();
  base::Result<void> start_workers();
  [[nodiscard]] std::vector<int> numa_nodes() const;
  [[nodiscard]] std::size_t copy_for(std::uint32_t worker) const;
  L7Config l7_config(std::uint32_t worker, std::uint32_t position);
  [[nodiscard]] DnsStreamConfig dns_stream_config() const;
  [[nodiscard]] DnsStreamConfig dot_config() const;
  [[nodiscard]] DotFiles dot_files() const {
    return {config_.tls_dot_certificate_file, config_.tls_dot_key_file};
  }
  worker::WorkerConfig worker_config(std::uint32_t index);
  void say_fallback(const std::string& sentence);

  // housekeeping.cc
  base::Result<void> turn(base::Time now);
  void reload_files();
  void reload_cookie_secrets();
  void reload_dot_certificate();
  void reload_page();
  void reload_countries();
  void take_countries();
  void ask_for_neighbours(base::Time now);
  void refresh_statistics(base::Time now);
  bool look_after_images(bool changed);
  void report_waiting(base::Time now);
  void look_after_keys();
  [[nodiscard]] std::chrono::microseconds pause(bool changed);
  void wait(std::chrono::microseconds longest);

  Config config_;
  Topology topology_;
  std::vector<std::string> fallbacks_;

  // Taken down from the last to the first.
  std::unique_ptr<eal::Environment> environment_;
  std::unique_ptr<ipc::StatsSegment> stats_;
  std::vector<eal::Pool> receive_pools_;
  std::vector<eal::Pool> segment_pools_;
  std::unique_ptr<steer::Mesh> mesh_;
  std::unique_ptr<steer::Steering> steering_;
  net::LinkRoutes routes_;
  net::NeighbourTable neighbours_;
  std::vector<std::unique_ptr<net::WantedNeighbours>> wanted_;
  Rcu rcu_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<port::EthPort> port_;
  std::unique_ptr<exception::KernelPort> kernel_;
  std::unique_ptr<exception::NeighbourFeed> feed_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<CookieSecretsStore> cookies_;
  std::unique_ptr<Published<l7::country::Database>> countries_;
  std::unique_ptr<Published<std::string>> error_page_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<l7::credentials::PrivateKeys> private_keys_;
  secret::Key ticket_secret_;
  std::vector<std::uint8_t> origin_trust_;
  std::unique_ptr<DotCertificateStore> dot_certificate_;
  l7::credentials::OperatorIdentity operator_identity_;
  std::unique_ptr<AccessLog> access_log_;
  std::vector<std::unique_ptr<Stages>> stages_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<worker::RunConfig> runs_;
  std::atomic<bool> stop_workers_{false};
  std::uint32_t workers_running_ = 0;

  // Of housekeeping.
  base::Time next_statistics_{};
  base::Time next_confirmation_{};
  base::Time next_waiting_report_{};
  base::Time next_look_at_keys_{};
  std::future<base::Result<std::unique_ptr<const l7::country::Database>>> new_countries_;
  bool key_file_is_bad_ = false;  // and that has been said
  std::uint32_t quiet_turns_ = 0;
  std::chrono::microseconds workers_wait_{};  // next, while something waits for workers
  bool link_up_ = false;
};

}  // namespace brink::edge
