// Engine: DNS queries to responses, a burst at a time, in place, out of a snapshot. Hot.
//
// Stages, each over the whole burst so that the memory of 32 lookups is fetched at once:
// parse and hash -> prefetch buckets -> prefetch records -> compare, decide, encode.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

inline constexpr std::size_t kBurstMax = 32;
// A response is limited to this over UDP whatever the client offers (RFC 9715).
inline constexpr std::uint16_t kUdpSizeDefault = 1232;
// RFC 1034 5.2.2 leaves the bound on CNAME chains to the server.
inline constexpr int kChainMax = 16;

// One message. In: `message` holds a query of `size` octets in a buffer of `capacity`, at least
// kCapacityMin. Out: `size` octets of response, 0 = none is to be sent. A response never exceeds
// `capacity` - kSlack; the slack may be overwritten with garbage.
struct Message {
  std::uint8_t* message;
  std::uint16_t size;
  std::uint16_t capacity;
};
inline constexpr std::size_t kSlack = 64;
inline constexpr std::size_t kCapacityMin = wire::kUdpSizeMin + kSlack;

class Engine {
 public:
  // `udp_size_max`: the largest UDP response, 512..4096.
  explicit Engine(std::uint16_t udp_size_max = kUdpSizeDefault) noexcept
      : udp_size_max_(udp_size_max) {}

  // Answers UDP queries, at most kBurstMax. One thread an Engine; nothing of `view` is kept.
  void answer_burst(const snapshot::View& view, std::span<Message> messages,
                    ipc::WorkerCounters& counters) noexcept;

 private:
  struct Slot {
    snapshot::NameKey key;
    wire::Query query;
    std::uint32_t candidate;
  };

  void answer(const snapshot::View& view, Slot& slot, Message& in,
              ipc::WorkerCounters& counters) noexcept;

  Slot slots_[kBurstMax];
  std::uint16_t udp_size_max_;
};

}  // namespace brink::dns::answer
