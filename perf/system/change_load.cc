// change_load: changes hosts of a synthetic image at a steady rate, as transactions that it encodes
// itself and hands to brink-edge, so that no store is the limit. A change gives a host another
// address and its zone another serial. What is due while a transaction is on its way goes into the
// next; what was due while the program was stopped (SIGSTOP) is not made up for. SIGTERM ends it;
// its last line is one line of JSON.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/program_options.hpp>
#include <chrono>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/ipc/control_message.h"
#include "dataplane/ipc/sealed_memory.h"
#include "dataplane/snapshot/transaction.h"
#include "dns/render/render.h"
#include "dns/zone/zone.h"
#include "perf/support/change_versions.h"

namespace {

using namespace brink;
using dns::zone::Wire;
using perf::ChangeVersions;
using std::chrono::steady_clock;

// Nothing else keeps it from its turn for so long.
constexpr double kStoppedSeconds = 0.1;

std::atomic<bool> g_stop{false};
void on_signal(int) {
  g_stop = true;
}

struct Options {
  std::string socket;
  std::string versions;
  perf::SyntheticOptions names;
  double rate = 1000;
  double seconds = 3600;
};

// A failure of what the benchmark runs on.
template <typename T>
T taken(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(result).value();
}
void done(const base::Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

std::span<const std::uint8_t> octets(const Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

Wire wire_of(std::uint32_t number) {
  std::uint8_t bytes[4];
  base::store_be32(bytes, number);
  return {bytes, bytes + 4};
}

// Its primary server and mailbox are the apex; the serial tells its versions apart.
Wire soa_of(const Wire& apex, std::uint32_t serial) {
  Wire data = apex + apex + wire_of(serial);
  for (const std::uint32_t field : {10000U, 2400U, 604800U, 1800U}) data += wire_of(field);
  return data;
}

class Changer {
 public:
  explicit Changer(const Options& options)
      : options_(options),
        versions_(taken(ChangeVersions::open(options.versions))),
        edge_(taken(ipc::connect_control(options.socket))) {
    ipc::ControlMessage hello;
    hello.type = ipc::MessageType::kHello;
    served_ = ask(hello, -1).snapshot_version;
  }
  void run();
  void print() const;

 private:
  ipc::ControlMessage ask(ipc::ControlMessage message, int descriptor);
  void put(snapshot::TransactionEncoder& encoder, std::size_t slot, std::uint32_t version) const;
  void publish(std::uint64_t count);

  const Options& options_;
  ChangeVersions versions_;
  base::UniqueFd edge_;
  std::uint64_t served_ = 0;
  std::size_t next_slot_ = 0;
  std::uint64_t changes_ = 0;
  double elapsed_s_ = 0;
  std::vector<double> latencies_us_;
};

ipc::ControlMessage Changer::ask(ipc::ControlMessage message, int descriptor) {
  done(ipc::send_control(edge_.get(), message, descriptor));
  for (;;) {
    const auto received = taken(ipc::receive_control(edge_.get()));
    if (received) return received->message;
  }
}

void Changer::put(snapshot::TransactionEncoder& encoder, std::size_t slot,
                  std::uint32_t version) const {
  const std::size_t host = ChangeVersions::host_of(options_.names, slot);
  const Wire owner = perf::synthetic_name(options_.names, host);
  const Wire apex = owner.substr(1 + static_cast<std::size_t>(owner[0]));
  // As much of the zone as changes.
  const std::vector<dns::zone::ResourceRecord> records = {
      {apex, dns::zone::kTypeSoa, 3600, soa_of(apex, version + 1)},
      {apex, dns::zone::kTypeNs, 86400, Wire("\3ns1\7example\3net\0", 17)},
      {owner, dns::zone::kTypeA, 300,
       wire_of(ChangeVersions::address(options_.names, slot, version))}};
  const auto zone = taken(dns::zone::Zone::build(apex, records));
  const auto negative = taken(dns::render::render_negative(apex, zone.soa()));
  done(encoder.put_zone(octets(apex), {zone.serial(), negative.blob}));
  for (const Wire& name : {apex, owner}) {
    const auto rrsets =
        taken(dns::render::render_name(apex, *zone.find(name), [&](const Wire& other) {
          const auto* node = zone.find(other);
          return node == nullptr ? std::nullopt : std::optional(*node);
        }));
    done(encoder.put_name(octets(name), {rrsets, {}, false, false}));
  }
}

void Changer::publish(std::uint64_t count) {
  snapshot::TransactionEncoder encoder;
  count = std::min<std::uint64_t>(count, ChangeVersions::kSlots);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t slot = (next_slot_ + i) % ChangeVersions::kSlots;
    const std::uint32_t version = versions_[slot].served.load(std::memory_order_relaxed) + 1;
    put(encoder, slot, version);
    versions_[slot].begun.store(version, std::memory_order_release);
  }
  const auto bytes = encoder.finish(served_, served_ + 1, 0);
  const auto memfd = taken(ipc::SealedMemory::make(bytes));
  ipc::ControlMessage message;
  message.type = ipc::MessageType::kPublishTransaction;
  message.snapshot_version = served_ + 1;
  message.payload_size_bytes = bytes.size();
  const auto since = steady_clock::now();
  const auto reply = ask(message, memfd.get());
  if (reply.status != ipc::ReplyStatus::kDone) throw std::runtime_error(reply.reason);
  const std::chrono::duration<double, std::micro> took = steady_clock::now() - since;
  latencies_us_.push_back(took.count());
  ++served_;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto& slot = versions_[(next_slot_ + i) % ChangeVersions::kSlots];
    slot.served.store(slot.begun.load(std::memory_order_relaxed), std::memory_order_release);
  }
  next_slot_ = (next_slot_ + count) % ChangeVersions::kSlots;
  changes_ += count;
}

void Changer::run() {
  auto before = steady_clock::now();
  while (!g_stop && elapsed_s_ < options_.seconds) {
    const auto now = steady_clock::now();
    const std::chrono::duration<double> passed = now - before;
    before = now;
    elapsed_s_ += passed.count() < kStoppedSeconds ? passed.count() : 0;
    const auto due = static_cast<std::uint64_t>(elapsed_s_ * options_.rate);
    if (due > changes_) {
      publish(due - changes_);
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
}

void Changer::print() const {
  auto sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    return sorted.empty()
               ? 0.0
               : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  };
  const nlohmann::ordered_json line = {
      {"changes", changes_},   {"transactions", latencies_us_.size()},
      {"seconds", elapsed_s_}, {"rate", static_cast<double>(changes_) / elapsed_s_},
      {"p50_us", at(0.5)},     {"p99_us", at(0.99)}};
  std::cout << line.dump() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  namespace po = boost::program_options;
  Options options;
  po::options_description described("change_load [options]");
  described.add_options()("help", "show this")("socket", po::value(&options.socket)->required(),
                                               "control socket of brink-edge")(
      "versions", po::value(&options.versions)->required(), "file that dns_load reads, too")(
      "names", po::value(&options.names.names)->default_value(1'000'000), "names in the image")(
      "per-zone", po::value(&options.names.names_per_zone)->default_value(10), "names in one zone")(
      "rate", po::value(&options.rate)->default_value(1000), "changes a second")(
      "seconds", po::value(&options.seconds)->default_value(3600), "how long");
  try {
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, described), given);
    if (given.count("help") != 0) {
      std::cout << described;
      return 0;
    }
    po::notify(given);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    Changer changer(options);
    changer.run();
    changer.print();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "change_load: " << error.what() << "\n";
    return 1;
  }
}
