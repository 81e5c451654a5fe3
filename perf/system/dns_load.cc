// dns_load: a closed-loop DNS load generator on a DPDK port (memif or any other vdev). It keeps at
// most `window` queries under way, at most `rate` a second, checks every answer against the name it
// asked for, and prints one line of JSON. With --echo it only counts frames that come back, for
// measuring a reflector on the same port with the same frames. With --rounds it fills the window
// and waits for every answer before it fills it again: the server sees bursts of the same size
// however often the generator is kept from its core.
//
// DPDK's own arguments follow "--": dns_load --names 100000 --seconds 5 -- --no-pci --vdev=...
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <boost/program_options.hpp>
#include <csignal>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "perf/support/change_versions.h"
#include "perf/support/dpdk_port.h"
#include "perf/support/synthetic_zones.h"

namespace {

using namespace brink;

constexpr std::uint16_t kBurst = 32;
constexpr std::size_t kFrameHeaders = 14 + 20 + 8;
constexpr std::size_t kIds = 65536;
// No changing host.
constexpr std::uint32_t kSteady = 0xffffffff;
// One in so many queries is for a host that changes, where any does.
constexpr std::size_t kChangingPart = 4;

// SIGINT and SIGTERM end the sending early; what is under way is still waited for.
std::atomic<bool> g_stop{false};
void on_signal(int) {
  g_stop = true;
}

struct Options {
  perf::SyntheticOptions names;
  double seconds = 5;
  std::uint64_t rate = 0;  // queries a second; 0 = as many as the window lets through
  std::uint32_t window = 512;
  bool rounds = false;
  bool echo = false;
  std::string destination_mac = "02:00:00:00:00:01";
  std::string versions;  // file that change_load writes; empty: nothing changes
};

struct Counts {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t wrong = 0;
  std::uint64_t late = 0;  // answers to queries already given up, or of nobody
};

// What a DNS message ID stands for while its query is under way.
struct Pending {
  std::uint32_t query = 0;
  std::uint64_t sent_tsc = 0;
  bool open = false;
  std::uint32_t served = 0;  // version of the host that was acknowledged when it was asked for
};

// A query, and what it must be answered with.
struct Asked {
  std::vector<std::uint8_t> frame;
  std::size_t host = 0;
  std::uint32_t slot = kSteady;
};

std::uint16_t ip_checksum(const std::uint8_t* header) {
  std::uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += base::load_be16(header + i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// A whole frame without UDP checksum, which IPv4 allows (RFC 768).
std::vector<std::uint8_t> frame_of(const std::vector<std::uint8_t>& query, const std::uint8_t* mac,
                                   std::uint32_t salt) {
  std::vector<std::uint8_t> f(kFrameHeaders + query.size());
  std::memcpy(f.data(), mac, 6);
  const std::uint8_t own[6] = {2, 0, 0, 0, 0, 2};
  std::memcpy(f.data() + 6, own, 6);
  base::store_be16(f.data() + 12, 0x0800);
  std::uint8_t* ip = f.data() + 14;
  ip[0] = 0x45;
  base::store_be16(ip + 2, static_cast<std::uint16_t>(28 + query.size()));
  ip[8] = 64;
  ip[9] = 17;
  base::store_be32(ip + 12, 0xc6336400U + 2 + salt % 250);  // 198.51.100.0/24
  base::store_be32(ip + 16, 0xc0000281U);                   // 192.0.2.129
  base::store_be16(ip + 10, ip_checksum(ip));
  std::uint8_t* udp = ip + 20;
  base::store_be16(udp, static_cast<std::uint16_t>(1024 + salt % 60000));
  base::store_be16(udp + 2, 53);
  base::store_be16(udp + 4, static_cast<std::uint16_t>(8 + query.size()));
  std::memcpy(udp + 8, query.data(), query.size());
  return f;
}

class Generator {
 public:
  Generator(const Options& options, std::uint16_t port, rte_mempool* pool);
  Counts run();
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] double elapsed() const { return elapsed_; }
  [[nodiscard]] std::vector<double> latencies() const { return latencies_us_; }

 private:
  void send(std::uint64_t now);
  void receive(std::uint64_t now);
  void take(const rte_mbuf* mbuf, std::uint64_t now);
  void expire(std::uint64_t now);
  [[nodiscard]] bool is_right(const Pending& pending, std::uint32_t address) const;

  const Options& options_;
  std::uint16_t port_;
  rte_mempool* pool_;
  std::optional<perf::ChangeVersions> versions_;
  std::vector<Asked> asked_;
  std::vector<Pending> pending_;
  std::uint16_t next_id_ = 0;
  std::uint32_t next_query_ = 0;
  std::uint32_t open_ = 0;
  bool filling_ = true;  // of a round
  std::uint64_t lost_ = 0;
  std::uint64_t start_tsc_ = 0;
  std::uint64_t expire_at_ = 0;
  double elapsed_ = 0;
  Counts counts_;
  std::vector<double> latencies_us_;
};

Generator::Generator(const Options& options, std::uint16_t port, rte_mempool* pool)
    : options_(options), port_(port), pool_(pool), pending_(kIds) {
  std::uint8_t mac[6];
  unsigned m[6];
  if (std::sscanf(options.destination_mac.c_str(), "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3],
                  &m[4], &m[5]) != 6) {
    throw std::runtime_error("--mac must look like 02:00:00:00:00:01");
  }
  for (int i = 0; i < 6; ++i) mac[i] = static_cast<std::uint8_t>(m[i]);
  std::mt19937_64 random(3);
  const std::size_t kinds = std::min<std::size_t>(options.names.names, 200'000);
  if (!options.versions.empty()) {
    const auto opened = perf::ChangeVersions::open(options.versions);
    if (!opened) throw std::runtime_error(opened.error().message());
    versions_ = opened.value();
  }
  for (std::size_t i = 0; i < kinds; ++i) {
    Asked asked;
    asked.host = random() % options.names.names;
    if (versions_) {
      const std::size_t slot = i % kChangingPart == 0
                                   ? random() % perf::ChangeVersions::kSlots
                                   : perf::ChangeVersions::slot_of(options.names, asked.host);
      if (slot != perf::ChangeVersions::kSlots) {
        asked.slot = static_cast<std::uint32_t>(slot);
        asked.host = perf::ChangeVersions::host_of(options.names, slot);
      }
    }
    asked.frame = frame_of(perf::synthetic_query(options.names, asked.host, true), mac,
                           static_cast<std::uint32_t>(random()));
    asked_.push_back(std::move(asked));
  }
}

void Generator::send(std::uint64_t now) {
  if (open_ == 0) filling_ = true;
  if (open_ >= options_.window) filling_ = false;
  if (options_.rounds ? !filling_ : open_ >= options_.window) return;
  std::uint32_t room = std::min<std::uint32_t>(kBurst, options_.window - open_);
  if (options_.rate != 0) {
    const auto due = static_cast<std::uint64_t>(static_cast<double>(now - start_tsc_) /
                                                static_cast<double>(rte_get_tsc_hz()) *
                                                static_cast<double>(options_.rate));
    if (due <= counts_.sent) return;
    room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, due - counts_.sent));
  }
  rte_mbuf* burst[kBurst];
  if (rte_pktmbuf_alloc_bulk(pool_, burst, room) != 0) return;
  std::uint16_t ids[kBurst];
  for (std::uint32_t i = 0; i < room; ++i) {
    while (pending_[next_id_].open) ++next_id_;
    ids[i] = next_id_;
    const Asked& asked = asked_[next_query_];
    const std::uint32_t served =
        asked.slot == kSteady ? 0 : (*versions_)[asked.slot].served.load(std::memory_order_acquire);
    pending_[next_id_] = {next_query_, now, true, served};
    const auto& frame = asked.frame;
    auto* data = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_append(burst[i], static_cast<std::uint16_t>(frame.size())));
    std::memcpy(data, frame.data(), frame.size());
    base::store_be16(data + kFrameHeaders, next_id_++);
    next_query_ = next_query_ + 1 == asked_.size() ? 0 : next_query_ + 1;
  }
  const std::uint16_t sent = rte_eth_tx_burst(port_, 0, burst, static_cast<std::uint16_t>(room));
  for (std::uint32_t i = sent; i < room; ++i) {
    pending_[ids[i]].open = false;
    rte_pktmbuf_free(burst[i]);
  }
  counts_.sent += sent;
  open_ += sent;
}

// A host that changes: any version from what was acknowledged before the question to what was
// handed over before its answer.
bool Generator::is_right(const Pending& pending, std::uint32_t address) const {
  const Asked& asked = asked_[pending.query];
  if (asked.slot == kSteady) return address == (0xc0000200U | (asked.host & 0xff));
  const std::uint32_t newest = (*versions_)[asked.slot].begun.load(std::memory_order_acquire);
  for (std::uint32_t version = pending.served; version <= newest; ++version) {
    if (address == perf::ChangeVersions::address(options_.names, asked.slot, version)) return true;
  }
  return false;
}

void Generator::take(const rte_mbuf* mbuf, std::uint64_t now) {
  const auto* frame = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
  if (mbuf->data_len < kFrameHeaders + 12) {
    ++counts_.late;
    return;
  }
  const std::uint16_t id = base::load_be16(frame + kFrameHeaders);
  Pending& pending = pending_[id];
  if (!pending.open) {
    ++counts_.late;
    return;
  }
  pending.open = false;
  --open_;
  ++counts_.answered;
  if (counts_.answered % 1024 == 0 && latencies_us_.size() < 100'000) {
    latencies_us_.push_back(static_cast<double>(now - pending.sent_tsc) * 1e6 /
                            static_cast<double>(rte_get_tsc_hz()));
  }
  if (options_.echo) return;
  // NOERROR, one answer, the name that was asked, and its address: then it is right.
  const auto& asked = asked_[pending.query].frame;
  const std::size_t question = asked.size() - kFrameHeaders - 12 - 11;
  const std::uint8_t* dns = frame + kFrameHeaders;
  const std::size_t answer = 12 + question;
  const bool right = mbuf->data_len >= kFrameHeaders + answer + 16 && (dns[3] & 15) == 0 &&
                     base::load_be16(dns + 6) == 1 &&
                     std::memcmp(dns + 12, asked.data() + kFrameHeaders + 12, question) == 0 &&
                     is_right(pending, base::load_be32(dns + answer + 12));
  if (!right) ++counts_.wrong;
}

void Generator::receive(std::uint64_t now) {
  rte_mbuf* burst[kBurst];
  const std::uint16_t count = rte_eth_rx_burst(port_, 0, burst, kBurst);
  for (std::uint16_t i = 0; i < count; ++i) take(burst[i], now);
  if (count > 0) rte_pktmbuf_free_bulk(burst, count);
}

// A query without an answer after a second is lost.
void Generator::expire(std::uint64_t now) {
  if (now < expire_at_) return;
  expire_at_ = now + rte_get_tsc_hz() / 10;
  for (Pending& pending : pending_) {
    if (pending.open && now > pending.sent_tsc + rte_get_tsc_hz()) {
      pending.open = false;
      --open_;
      ++lost_;
    }
  }
}

Counts Generator::run() {
  const std::uint64_t hz = rte_get_tsc_hz();
  start_tsc_ = rte_rdtsc();
  const std::uint64_t end =
      start_tsc_ + static_cast<std::uint64_t>(options_.seconds * static_cast<double>(hz));
  std::uint64_t now = start_tsc_;
  while (now < end && !g_stop) {
    send(now);
    receive(now);
    expire(now);
    now = rte_rdtsc();
  }
  elapsed_ = static_cast<double>(now - start_tsc_) / static_cast<double>(hz);
  // What is still under way gets its second.
  const std::uint64_t grace = now + hz * 12 / 10;
  while (open_ > 0 && now < grace) {
    receive(now);
    expire(now);
    now = rte_rdtsc();
  }
  return counts_;
}

std::uint64_t Generator::lost() const {
  return lost_ + open_;
}

}  // namespace

int main(int argc, char** argv) {
  namespace po = boost::program_options;
  const auto dashes =
      std::find_if(argv, argv + argc, [](const char* a) { return std::strcmp(a, "--") == 0; });
  const int own = static_cast<int>(dashes - argv);
  Options options;
  po::options_description described("dns_load [options] -- [DPDK arguments]");
  described.add_options()("help", "show this")(
      "names", po::value(&options.names.names)->default_value(100'000), "names in the image")(
      "per-zone", po::value(&options.names.names_per_zone)->default_value(10), "names in one zone")(
      "seconds", po::value(&options.seconds)->default_value(5), "how long to send")(
      "rate", po::value(&options.rate)->default_value(0), "queries a second; 0 = no limit")(
      "window", po::value(&options.window)->default_value(512), "queries under way at most")(
      "versions", po::value(&options.versions), "file of change_load: which answers are right")(
      "mac", po::value(&options.destination_mac)->default_value(options.destination_mac),
      "link address of the server")("rounds", po::bool_switch(&options.rounds),
                                    "wait for every answer before the window is filled again")(
      "echo", po::bool_switch(&options.echo), "count frames that come back, whatever they hold");
  try {
    po::variables_map given;
    po::store(po::parse_command_line(own, argv, described), given);
    po::notify(given);
    if (given.count("help") != 0) {
      std::cout << described;
      return 0;
    }
    rte_mempool* const pool = perf::start_port(argv[0], argc - own, argv + own);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    Generator generator(options, 0, pool);
    const Counts counts = generator.run();
    auto latencies = generator.latencies();
    std::sort(latencies.begin(), latencies.end());
    const auto at = [&latencies](double share) {
      return latencies.empty() ? 0.0
                               : latencies[static_cast<std::size_t>(
                                     share * static_cast<double>(latencies.size() - 1))];
    };
    const nlohmann::ordered_json line = {
        {"sent", counts.sent},
        {"answered", counts.answered},
        {"wrong", counts.wrong},
        {"lost", generator.lost()},
        {"late", counts.late},
        {"rate", static_cast<double>(counts.answered) / generator.elapsed()},
        {"p50_us", at(0.5)},
        {"p99_us", at(0.99)}};
    std::cout << line.dump() << "\n";
    perf::stop_port();
    return counts.answered > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "dns_load: " << error.what() << "\n";
    return 2;
  }
}
