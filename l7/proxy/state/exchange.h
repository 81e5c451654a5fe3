// Exchange: one request and its response. It belongs to a client's connection, or a stream of its
// session, and borrows an origin's. In a fixed array (exchanges.h), named by index.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "l7/compress/policy.h"
#include "l7/country/code.h"
#include "l7/http/head.h"
#include "l7/http1/head_limits.h"
#include "l7/http2/event.h"
#include "l7/log/entry.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/state/slots.h"
#include "l7/proxy/transfer/body_relay.h"
#include "l7/proxy/transfer/inbox.h"
#include "l7/rewrite/kept_facts.h"
#include "l7/route/route.h"
#include "l7/route/settings_layout.h"
#include "l7/route/table_key.h"

namespace brink::l7::proxy {

enum class Phase : std::uint8_t {
  reading_head,  // gathering the request head
  connecting,    // waiting for a fresh origin connection, TLS included
  relaying,      // request out, response in
  answering,     // flushing an answer of the edge's own
};

// What an exchange was last waiting for; chooses the timeout.
enum class Waiting : std::uint8_t { client_bytes, client_room, origin_bytes, origin_room };

// Whole microseconds, as the access log counts them.
inline std::uint32_t us_between(base::Time since, base::Time now) noexcept {
  return static_cast<std::uint32_t>((now - since) / std::chrono::microseconds(1));
}

// A host's name, kept beyond the head that it was in.
class HostCopy {
 public:
  void set(std::string_view host) noexcept {
    size_ = static_cast<std::uint8_t>(std::min(host.size(), text_.size()));
    std::copy_n(host.data(), size_, text_.data());
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, route::kHostMax> text_{};
  std::uint8_t size_ = 0;
};

// Of an exchange: for its request and for its response.
inline constexpr std::size_t kInboxesMax = 2;

struct Exchange {
  std::uint32_t client = kNoIndex;
  std::uint32_t origin = kNoIndex;
  http2::StreamId stream = 0;  // of the client's session; 0: HTTP/1
  bool stream_ended = false;   // the client has sent all of its request
  bool te_trailers = false;    // the client says that it can take them
  Inbox inbox;                 // what of its body the origin has not taken
  http2::StreamId origin_stream = 0;  // of the origin's session; 0: HTTP/1, or none
  bool from_session = false;          // the response comes, or came, over HTTP/2
  bool origin_ended = false;          // and all of it has come
  Inbox response_inbox;               // what of it the client has not taken
  // Of the request's body what went to an origin over HTTP/2 that may not have looked at it: until
  // the response begins, in the blocks that response_inbox has no use for before.
  Inbox sent;
  std::uint32_t trailers_size = 0;    // of the response's trailers (Trailers)
  EdgeError request_fault = EdgeError::internal;  // why its body cannot be sent on; internal: it can
  Phase phase = Phase::reading_head;
  Waiting waiting = Waiting::client_bytes;
  base::Time phase_since{};
  base::Time asked{};  // when the request's head was whole
  base::Time last_progress{};

  // Request.
  http::Method method = http::Method::other;
  http::Version version = http::Version::http_1_1;
  bool keep_alive = false;
  bool expect_continue = false;
  bool websocket = false;      // is asked for
  bool tunnel = false;         // and granted: bytes go both ways as they are
  bool request_done = false;   // the body, if any, was forwarded to its end
  http1::Progress progress;    // of the head being gathered, request or response
  std::uint32_t gathered = 0;  // bytes of that head in `in`
  std::uint32_t out_size = 0;  // the request as the origin gets it, in `out`
  std::uint32_t out_sent = 0;
  std::uint32_t request_trailers_at = 0;  // in `out`, and how many octets
  std::uint32_t request_trailers_size = 0;
  std::uint32_t request_trailers_sent = 0;
  http::BodyFraming request_framing;
  std::uint64_t request_max = 0;    // octets of its body, over which it is refused
  BodyRelay request_body;
  compress::ClientFacts codings;    // what it takes
  bool has_promise = false;         // of a decoder, since the origin is asked for more than that
  bool has_response_rules = false;  // then kept_facts says what they ask, behind `out`
  rewrite::KeptFacts kept_facts;

  // The choice of the origin.
  route::RouteCopy route;
  route::SettingsLayout settings;
  HostCopy host;
  country::Code country;       // of the client
  std::uint64_t security = 0;  // of connections to origins, as in origin::OriginKey
  bool securing = false;       // the handshake with the origin has begun
  std::uint32_t rival = kNoIndex;   // the second connection that is being made, if there is one
  std::uint32_t record = kNoIndex;  // in the table of origins, which counts it
  bool pending = false;             // and counts it as waiting for a connection
  std::uint32_t tried = 0;     // bit i: route.origins[i] was chosen
  bool failed_over = false;    // the one second address was taken
  bool replayed = false;       // a dead pooled connection was replaced by a fresh one
  bool reused = false;         // the connection came from the pool
  base::Duration reused_after{};  // being idle for so long
  base::Endpoint remote;       // of the connection in use or last used
  std::uint64_t remote_number = 0;  // names it, as OriginConnection::number; 0: is not known yet

  // Response.
  std::uint32_t pending_size = 0;  // serialised bytes in `in` that the client had no room for
  std::uint32_t pending_sent = 0;
  std::uint8_t interim_count = 0;
  bool response_seen = false;     // any byte of it has come
  bool response_started = false;  // the final head went to the client
  bool response_done = false;
  bool origin_keep = true;  // no head said otherwise: the origin connection may be used again
  bool close_client = false;
  bool raw_until_close = false;  // the client sees the end only by our close: truncate with RST
  bool chunked_out = false;      // its body goes to the client in chunks
  bool coded = false;            // its body is encoded or decoded: see BodyCoding
  BodyRelay response_body;

  std::array<char, 20> ray{};  // 16 hexadecimal digits, '-', three letters

  // For the access log; begins with the end of the head, or with the error that came before it.
  base::Time noted_at{};
  log::Entry entry;

  [[nodiscard]] std::string_view ray_text() const noexcept { return {ray.data(), ray.size()}; }
};

}  // namespace brink::l7::proxy
