// Edge::housekeep: everything that is not a packet of a service. One turn moves the kernel's
// packets, then looks after the rest.
#include <poll.h>
#include <rte_cycles.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "dataplane/edge/edge.h"
#include "dataplane/edge/error_page.h"

namespace brink::edge {
namespace {

using std::chrono::microseconds;

constexpr base::Duration kStatisticsInterval = std::chrono::milliseconds(250);
// While the key file is awaited, and afterwards.
constexpr base::Duration kAwaitKeys = std::chrono::milliseconds(50);
constexpr base::Duration kLookAtKeys = std::chrono::seconds(1);
constexpr base::Duration kWaitingReport = std::chrono::seconds(1);
constexpr base::Duration kConfirmationInterval = std::chrono::seconds(10);
// The kernel's interface is polled: at once while packets move, less often when none do. Without
// one, what has no descriptor can wait longer.
constexpr std::uint32_t kQuietTurns = 200;
constexpr microseconds kBusyWait{50};
constexpr microseconds kQuietWait{500};
constexpr microseconds kIdleWait{10'000};
// Some turns of a worker that polls.
constexpr base::Duration kWorkerTurns = microseconds(20);

std::uint64_t unix_now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

void copy_state(ipc::PortStats& out, const port::EthPort& port) {
  const port::PortState state = port.state();
  out.link_up = state.link_up ? 1 : 0;
  out.queues = port.queues();
  out.mtu = port.mtu();
  out.link_speed_mbps = state.link_speed_mbps;
  port.mac().to_wire(out.mac);
  out.rx_packets = state.rx_packets;
  out.rx_bytes = state.rx_bytes;
  out.rx_missed = state.rx_missed;
  out.rx_errors = state.rx_errors;
  out.rx_no_mbuf = state.rx_no_mbuf;
  out.tx_packets = state.tx_packets;
  out.tx_bytes = state.tx_bytes;
  out.tx_errors = state.tx_errors;
}

void copy_usage(ipc::StatsHeader& header, const snapshot::ImageUsage& usage) {
  header.snapshot_size_bytes = usage.memory_bytes;
  header.snapshot_records = usage.records;
  header.snapshot_records_free = usage.records_free;
  header.snapshot_heap_bytes = usage.heap_bytes;
  header.snapshot_heap_free_bytes = usage.heap_free_bytes;
}

}  // namespace

base::Result<void> Edge::housekeep(const std::atomic<bool>& stop, std::atomic<bool>& reload) {
  const worker::TscClock clock(rte_get_tsc_hz());
  while (!stop.load(std::memory_order_relaxed)) {
    if (reload.exchange(false, std::memory_order_relaxed)) reload_files();
    const auto done = turn(clock.at(rte_rdtsc()));
    if (!done) return done;
  }
  return {};
}

void Edge::reload_files() {
  const bool has_some = !config_.dns_cookie_secret_file.empty() || !config_.l7_error_page.empty() ||
                        !config_.l7_country_database.empty() ||
                        !config_.tls_dot_certificate_file.empty();
  if (!has_some) spdlog::info("nothing to read again: no setting names a file that could change");
  if (!config_.dns_cookie_secret_file.empty()) reload_cookie_secrets();
  if (!config_.l7_error_page.empty()) reload_page();
  if (!config_.l7_country_database.empty()) reload_countries();
  if (!config_.tls_dot_certificate_file.empty()) reload_dot_certificate();
}

void Edge::reload_dot_certificate() {
  auto read = DotCertificate::read(dot_files());
  if (!read) {
    return spdlog::error("the certificate of DNS over TLS stays as it is: {}",
                         read.error().message());
  }
  dot_certificate_->publish(std::move(read).value());
  spdlog::info("certificate of DNS over TLS: read again");
}

void Edge::reload_page() {
  auto page = read_error_page(config_.l7_error_page);
  if (!page) return spdlog::error("the error page stays as it is: {}", page.error().message());
  error_page_->publish(std::move(page).value());
}

// On a thread of its own: a large file takes a second, and the kernel's packets must keep moving.
void Edge::reload_countries() {
  if (new_countries_.valid()) return spdlog::warn("countries are being read already");
  new_countries_ = std::async(std::launch::async, [path = config_.l7_country_database] {
    return l7::country::Database::open(path, "l7.country-database");
  });
}

// A file that is not whole leaves the old one in use.
void Edge::take_countries() {
  if (!new_countries_.valid()) return;
  if (new_countries_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  auto read = new_countries_.get();
  if (!read) return spdlog::error("countries stay as they are: {}", read.error().message());
  spdlog::info("countries: {}", read.value()->text());
  countries_->publish(std::move(read).value());
}

void Edge::reload_cookie_secrets() {
  const auto read = cookies_->apply(CookieStep::kReload);
  if (!read) {
    return spdlog::error("secrets of DNS cookies stay as they are: {}", read.error().message());
  }
  spdlog::info("secrets of DNS cookies: {}", read.value());
}

base::Result<void> Edge::drain() {
  const worker::TscClock clock(rte_get_tsc_hz());
  const base::Time deadline = clock.at(rte_rdtsc()) + config_.l7_drain;
  for (const auto& stages : stages_) stages->drain();
  for (;;) {
    const base::Time now = clock.at(rte_rdtsc());
    std::uint32_t clients = 0;
    for (const auto& stages : stages_) clients += stages->client_count();
    if (clients == 0) return {};
    if (now >= deadline) {
      spdlog::warn("stopping with {} client connection(s) open", clients);
      return {};
    }
    const auto done = turn(now);
    if (!done) return done;
  }
}

base::Result<void> Edge::turn(base::Time now) {
  const std::uint32_t moved = kernel_ ? kernel_->pump() : 0;
  quiet_turns_ = moved != 0 ? 0 : quiet_turns_ + 1;
  const std::uint64_t transactions = control_->counts().transactions;
  control_->poll(now);
  const bool changed = control_->counts().transactions != transactions;
  const bool growing = !control_->in_transaction() && look_after_images(changed);
  if (feed_) {
    const auto polled = feed_->poll();
    if (!polled) return polled;
    ask_for_neighbours(now);
  }
  take_countries();
  if (now >= next_statistics_) {
    next_statistics_ = now + kStatisticsInterval;
    refresh_statistics(now);
  }
  if (changed || now >= next_look_at_keys_) {
    look_after_keys();
    next_look_at_keys_ = now + (private_keys_->is_loaded() ? kLookAtKeys : kAwaitKeys);
  }
  if (!control_->busy() && !growing) wait(pause(changed));
  return {};
}

// After a change most often the workers have gone on before a wait would be over.
bool Edge::look_after_images(bool changed) {
  const worker::TscClock clock(rte_get_tsc_hz());
  const base::Time since = clock.at(rte_rdtsc());
  base::Time now = since;
  bool more = images_->maintain(now);
  while (changed && images_->is_waiting() && now - since < kWorkerTurns) {
    now = clock.at(rte_rdtsc());
    more = images_->maintain(now);
  }
  ipc::StatsHeader& header = stats_->header();
  header.snapshot_visible_ns = static_cast<std::uint64_t>(images_->visible().last.count());
  header.snapshot_visible_max_ns = static_cast<std::uint64_t>(images_->visible().longest.count());
  return more;
}

// What workers miss, and the gateways always, so that the first connection finds them known. The
// kernel does not see that workers use them, so it is told now and then, and probes those that are
// stale (RFC 4861 7.3): a gateway that was replaced is found out.
void Edge::ask_for_neighbours(base::Time now) {
  for (const auto& wanted : wanted_) {
    for (auto address = wanted->take(); address; address = wanted->take()) {
      feed_->resolve(*address, now);
    }
  }
  const bool confirm = now >= next_confirmation_;
  if (confirm) next_confirmation_ = now + kConfirmationInterval;
  for (const auto& gateway : {config_.gateway_v4, config_.gateway_v6}) {
    if (gateway && (confirm || !neighbours_.find(*gateway))) feed_->resolve(*gateway, now);
  }
}

void Edge::refresh_statistics(base::Time now) {
  copy_state(stats_->port(0), *port_);
  if (kernel_) {
    copy_state(stats_->port(1), kernel_->port());
    stats_->port(1).rx_missed += kernel_->dropped_from_kernel();
    stats_->port(1).tx_errors += kernel_->dropped_to_kernel();
  }
  const bool up = stats_->port(0).link_up != 0;
  if (up != link_up_) spdlog::info("link of {} is {}", port_->name(), up ? "up" : "down");
  link_up_ = up;
  ipc::StatsHeader& header = stats_->header();
  const snapshot::ImageState& image = images_->state();
  if (header.snapshot_version != image.version) header.snapshot_published_unix_ns = unix_now_ns();
  header.snapshot_version = image.version;
  header.snapshot_names = image.names;
  header.snapshot_zones = image.zones;
  header.snapshot_swaps = control_->counts().images;
  header.snapshot_transactions = control_->counts().transactions;
  header.snapshot_refused = control_->counts().refused;
  header.snapshot_compactions = disk_->compactions();
  header.snapshot_log_bytes = disk_->journal().log_bytes();
  copy_usage(header, images_->usage());
  header.snapshot_memory_limit_bytes = config_.image_memory_max;
  report_waiting(now);
  std::atomic_ref<std::uint64_t>(header.heartbeat_unix_ns)
      .store(unix_now_ns(), std::memory_order_release);
}

// A worker that does not pass a quiescent point delays reclamation, never publication.
void Edge::report_waiting(base::Time now) {
  const Waiting waiting = images_->waiting(now);
  ipc::StatsHeader& header = stats_->header();
  header.snapshot_waiting = waiting.batches;
  header.snapshot_waiting_ns = static_cast<std::uint64_t>(waiting.oldest.count());
  header.snapshot_waiting_workers = 0;
  for (const std::uint32_t worker : waiting.workers) {
    if (worker < 64) header.snapshot_waiting_workers |= std::uint64_t{1} << worker;
  }
  if (waiting.oldest < kWaitingReport || now < next_waiting_report_) return;
  next_waiting_report_ = now + kWaitingReport * 10;
  std::string names;
  for (const std::uint32_t worker : waiting.workers) names += " " + std::to_string(worker);
  spdlog::warn("replaced records wait for {} ms to be freed ({} batches): {}",
               waiting.oldest / std::chrono::milliseconds(1), waiting.batches,
               names.empty() ? "an image is being compacted" : "no sign of worker" + names);
}

// The key file may come later than the edge, and workers find that keys do not open.
void Edge::look_after_keys() {
  if (!private_keys_->is_loaded() && !key_file_is_bad_) {
    const auto loaded = private_keys_->load();
    if (!loaded) {
      key_file_is_bad_ = true;
      spdlog::error("{}", loaded.error().message());
    } else if (loaded.value()) {
      spdlog::info("the key file {} is there: private keys can be opened", config_.tls_key_file);
    }
  }
  for (const l7::route::EntryId& id : private_keys_->take_failed()) {
    std::string text;
    for (const std::uint8_t octet : id) {
      text += "0123456789abcdef"[octet >> 4];
      text += "0123456789abcdef"[octet & 15];
    }
    spdlog::error(
        "the private key of certificate {} does not open with tls.key-file = {}: name the "
        "key file of brink-control",
        text, config_.tls_key_file);
  }
}

// What waits for the workers is looked at soon, then ever less often.
microseconds Edge::pause(bool changed) {
  if (kernel_ && quiet_turns_ < kQuietTurns) return kBusyWait;
  const microseconds longest = kernel_ || feed_ ? kQuietWait : kIdleWait;
  if (changed || !images_->is_waiting()) workers_wait_ = kBusyWait;
  if (!images_->is_waiting()) return longest;
  return std::min(longest, std::exchange(workers_wait_, 2 * workers_wait_));
}

// A signal (the TAP driver raises one for each packet of the kernel) ends the wait early.
void Edge::wait(microseconds longest) {
  std::vector<pollfd> descriptors;
  for (const int fd : control_->descriptors()) descriptors.push_back({fd, POLLIN, 0});
  if (feed_) descriptors.push_back({feed_->descriptor(), POLLIN, 0});
  const timespec time{0, std::chrono::nanoseconds(longest).count()};
  ::ppoll(descriptors.data(), descriptors.size(), &time, nullptr);
}

}  // namespace brink::edge
