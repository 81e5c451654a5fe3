// What the stage remembers: a client connection, an origin connection, and an exchange - one
// request and its response, which borrows one of each. All in fixed arrays, named by index.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "dataplane/tcp/types.h"
#include "l7/http/head.h"
#include "l7/http1/head_limits.h"
#include "l7/log/entry.h"
#include "l7/proxy/body_relay.h"
#include "l7/proxy/edge_error.h"
#include "l7/rewrite/kept_facts.h"
#include "l7/route/route.h"

namespace brink::l7::proxy {

inline constexpr std::uint32_t kNoIndex = 0xffffffff;

enum class ClientState : std::uint8_t {
  free,
  open,       // between requests, or with an exchange
  lingering,  // our FIN is queued; what still arrives is read and dropped
};

struct Client {
  tcp::ConnectionId id;
  ClientState state = ClientState::free;
  bool peer_closed = false;
  bool ready = false;  // is in the ready ring
  std::uint32_t exchange = kNoIndex;
  base::Time deadline{};  // idle or lingering clients
  base::IpAddress address;
  std::uint16_t remote_port = 0;
  std::uint16_t port = 0;  // the port of ours that it came to
};

enum class OriginState : std::uint8_t { free, connecting, busy, idle };

struct OriginConnection {
  tcp::ConnectionId id;
  OriginState state = OriginState::free;
  bool peer_closed = false;
  std::uint32_t exchange = kNoIndex;
  base::Endpoint remote;
};

enum class Phase : std::uint8_t {
  reading_head,  // gathering the request head
  connecting,    // waiting for a fresh origin connection
  relaying,      // request out, response in
  answering,     // flushing an answer of the edge's own
};

// What an exchange was last waiting for; chooses the timeout.
enum class Waiting : std::uint8_t { client_bytes, client_room, origin_bytes, origin_room };

// Whole microseconds, as the access log counts them.
inline std::uint32_t us_between(base::Time since, base::Time now) noexcept {
  return static_cast<std::uint32_t>((now - since) / std::chrono::microseconds(1));
}

struct Exchange {
  std::uint32_t client = kNoIndex;
  std::uint32_t origin = kNoIndex;
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
  bool request_done = false;   // the body, if any, was forwarded to its end
  http1::Progress progress;    // of the head being gathered, request or response
  std::uint32_t gathered = 0;  // bytes of that head in `in`
  std::uint32_t out_size = 0;  // the request as the origin gets it, in `out`
  std::uint32_t out_sent = 0;
  http::BodyFraming request_framing;
  BodyRelay request_body;
  bool has_response_rules = false;  // then kept_facts says what they ask, behind `out`
  rewrite::KeptFacts kept_facts;

  // The choice of the origin.
  route::RouteCopy route;
  std::uint32_t tried = 0;   // bit i: route.origins[i] was chosen
  bool failed_over = false;  // the one second address was taken
  bool replayed = false;     // a dead pooled connection was replaced by a fresh one
  bool reused = false;       // the connection came from the pool
  base::Endpoint remote;     // of the connection in use or last used

  // Response.
  std::uint32_t pending_size = 0;  // serialised bytes in `in` that the client had no room for
  std::uint32_t pending_sent = 0;
  std::uint8_t interim_count = 0;
  bool response_seen = false;     // any byte of it has come
  bool response_started = false;  // the final head went to the client
  bool response_done = false;
  bool origin_keep = false;  // the origin connection may be used again afterwards
  bool close_client = false;
  bool raw_until_close = false;  // the client sees the end only by our close: truncate with RST
  BodyRelay response_body;

  std::array<char, 20> ray{};  // 16 hexadecimal digits, '-', three letters

  // For the access log; begins with the end of the head, or with the error that came before it.
  base::Time noted_at{};
  log::Entry entry;

  [[nodiscard]] std::string_view ray_text() const noexcept { return {ray.data(), ray.size()}; }
};

}  // namespace brink::l7::proxy
