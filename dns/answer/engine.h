// Engine: DNS queries to responses, a burst at a time, in place, out of a snapshot. Hot.
//
// Stages, each over the whole burst so that the memory of 32 lookups is fetched at once:
// parse and hash -> prefetch buckets -> prefetch records -> compare -> what was not found at once ->
// decide, encode.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "dataplane/base/ip.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dns/answer/edns_options.h"
#include "dns/answer/missing.h"
#include "dns/answer/self.h"
#include "dns/answer/slot.h"
#include "dns/guard/cookie.h"
#include "dns/guard/rate_limit.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

inline constexpr std::size_t kBurstMax = 32;
// A response is limited to this over UDP whatever the client offers (RFC 9715).
inline constexpr std::uint16_t kUdpSizeDefault = 1232;
// RFC 1034 5.2.2 leaves the bound on CNAME chains to the server.
inline constexpr int kChainMax = 16;

// RFC 8467 4.1: sizes of encrypted responses are a multiple of this.
inline constexpr std::uint16_t kPaddingBlock = 468;

// How a message came. Over a stream there is no size to keep to but that of a message; over an
// encrypted one sizes are told to nobody either.
enum class Transport : std::uint8_t { kUdp, kStream, kEncryptedStream };

// What a server says of itself, and the bounds it keeps.
struct EngineOptions {
  std::uint16_t udp_size_max = kUdpSizeDefault;  // largest UDP response, 512..4096
  // NSID (RFC 5001) and id.server, at most 64 octets; version.server. Empty: not told.
  std::string identity;
  std::string version;
  // A lower-case wire name, which need not be in any zone, that answers with who asks. Empty: none.
  std::string whoami;
  std::uint16_t keepalive_100ms = 100;  // idle streams (RFC 7828), in 100 ms
};

// One message. In: `message` holds a query of `size` octets in a buffer of `capacity`, at least
// kCapacityMin. Out: `size` octets of response, 0 = none is to be sent. A response never exceeds
// `capacity` - kSlack; the slack may be overwritten with garbage.
struct Message {
  std::uint8_t* message;
  std::uint16_t size;
  std::uint16_t capacity;
  const base::IpAddress* client = nullptr;  // null: nobody gets a cookie
};
inline constexpr std::size_t kSlack = 64;
inline constexpr std::size_t kCapacityMin = wire::kUdpSizeMin + kSlack;

class Engine {
 public:
  explicit Engine(EngineOptions options = {}) : options_(std::move(options)) {}

  // What cookies are made and checked with: null for none. Until it is set anew it must stay as it
  // is; so must the time, in Unix seconds, which is good for some seconds.
  void set_cookies(const guard::CookieSecrets* secrets, std::uint32_t unix_seconds) noexcept {
    cookie_secrets_ = secrets;
    unix_seconds_ = unix_seconds;
  }

  // Limits answers over UDP to who has no good cookie; null: nothing is limited. The engine's
  // alone.
  void set_rate_limiter(guard::RateLimiter* limiter) noexcept { limiter_ = limiter; }

  // Answers queries, at most kBurstMax. One thread an Engine; nothing of `view` is kept.
  void answer_burst(const snapshot::View& view, Transport transport, std::span<Message> messages,
                    ipc::WorkerCounters& counters) noexcept;

 private:
  void look_up(const snapshot::View& view, std::size_t count) noexcept;
  void answer(const snapshot::View& view, Transport transport, Slot& slot, Message& in,
              ipc::WorkerCounters& counters) noexcept;
  // What goes along with an answer, whatever it is.
  struct Envelope {
    EdnsOptions options;
    bool limited = false;  // its rate may be
    bool padded = false;   // its size is not to tell what it says
  };
  template <typename Fill>
  void answer_without_zone(const wire::Query& query, Envelope& envelope, wire::Rcode rcode,
                           Message& in, ipc::WorkerCounters& counters, const Fill& fill) noexcept;
  void refuse(const wire::Query& query, Envelope& envelope, wire::Rcode rcode, Message& in,
              ipc::WorkerCounters& counters) noexcept;
  void answer_class(const wire::Query& query, Envelope& envelope, Message& in,
                    ipc::WorkerCounters& counters) noexcept;
  void answer_from_zones(const snapshot::View& view, Transport transport, Slot& slot,
                         Envelope& envelope, Message& in, ipc::WorkerCounters& counters) noexcept;
  [[nodiscard]] ServerNames names() const noexcept {
    return {options_.identity, options_.version, options_.whoami};
  }
  bool is_over_rate(const wire::Query& query, const Envelope& envelope, Message& in,
                    guard::AnswerKind kind, std::uint64_t name_hash,
                    ipc::WorkerCounters& counters) noexcept;
  bool answer_options(const wire::Query& query, Transport transport, const Message& in,
                      ipc::WorkerCounters& counters, EdnsOptions& out) const noexcept;

  EngineOptions options_;
  const guard::CookieSecrets* cookie_secrets_ = nullptr;
  std::uint32_t unix_seconds_ = 0;
  guard::RateLimiter* limiter_ = nullptr;
  Slot slots_[kBurstMax];
  MissingNames missing_;
  bool expects_missing_ = false;  // most names of the last burst were not there
};

}  // namespace brink::dns::answer
