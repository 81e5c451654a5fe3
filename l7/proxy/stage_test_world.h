// A world for tests of the stage: a client stack, the edge's stack with the stage, and an origin
// stack, joined by a wire without delay. Time moves only when the test says so. Addresses can be
// made to refuse, to swallow everything, or to be unreachable.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/tcp/stack.h"
#include "dataplane/tls/engine.h"
#include "dataplane/transport/transport.h"
#include "l7/proxy/stage.h"
#include "l7/render/route_blob.h"
#include "l7/render/tls_blob.h"
#include "l7/route/table_key.h"
#include "tests/support/wire_name.h"

namespace brink::l7::proxy::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Bytes = std::vector<std::uint8_t>;

inline base::IpAddress ip(const char* text) {
  return *base::IpAddress::parse(text);
}

// 64-byte aligned memory for a stack or a stage.
class Memory {
 public:
  explicit Memory(std::size_t size)
      : data_(static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) & ~std::size_t{63})),
              &std::free),
        size_(size) {}
  std::span<std::byte> span() { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> data_;
  std::size_t size_;
};

// One connection as its peer sees it: what it got, and what is still to be sent.
struct Peer {
  tcp::ConnectionId id;
  base::Endpoint local;
  std::string received;
  std::string to_send;
  bool connected = false;  // and secured, where it is to be
  bool failed = false;     // TLS is over: see failure
  tls::Failure failure = tls::Failure::kNone;
  std::optional<std::uint8_t> alert;            // of the failure
  const tls::OriginSettings* secure = nullptr;  // a client's: it speaks TLS
  bool reading = true;                          // false: leaves everything in the receive queue
  bool fin_sent = false;
  bool close_when_sent = false;
  bool peer_closed = false;  // end seen
  bool truncated = false;    // it was no orderly one of TLS
  bool closed = false;       // connection over
  tcp::CloseReason reason = tcp::CloseReason::kNormal;

  [[nodiscard]] bool was_reset() const {
    return closed && reason == tcp::CloseReason::kResetByPeer;
  }
};

// A host with a stack and the peers on it.
class Host {
 public:
  // `engine` null: it speaks no TLS.
  explicit Host(const tcp::StackConfig& config, tls::Engine* engine = nullptr)
      : memory_(tcp::Stack::memory_size(config)),
        stack(config, memory_.span(), counters),
        transport(stack, engine, {.connections = config.max_connections, .plaintext_buffers = 64}) {
  }

  Peer& open(const base::Endpoint& local, const base::Endpoint& remote, base::Time now) {
    auto peer = std::make_unique<Peer>();
    peer->local = local;
    peers.push_back(std::move(peer));
    const tcp::ConnectResult result = stack.connect(local, remote, peers.size(), now);
    EXPECT_TRUE(result.ok());
    peers.back()->id = result.id;
    return *peers.back();
  }

  bool work(base::Time now) {
    bool busy = false;
    transport::Event event;
    while (transport.next_event(event, now)) {
      busy = true;
      if (event.kind == transport::EventKind::kAccepted) {
        accept(event.id, now);
      } else if (event.user != 0) {
        note(*peers[event.user - 1], event, now);
      }
    }
    for (auto& peer : peers) busy |= serve(*peer, now);
    return busy;
  }

 private:
  Memory memory_;

  void accept(tcp::ConnectionId id, base::Time now) {
    peers.push_back(std::make_unique<Peer>());
    Peer& peer = *peers.back();
    peer.id = id;
    peer.local = stack.info(id).local;
    stack.set_user(id, peers.size());
    peer.connected = hosts == nullptr || peer.local.port != secure_port;
    if (!peer.connected) {
      EXPECT_EQ(transport.secure_accept(id, *hosts, 0, now), tls::Failure::kNone);
    }
  }

  void note(Peer& peer, const transport::Event& event, base::Time now) {
    switch (event.kind) {
      case transport::EventKind::kConnected:
        peer.connected = peer.secure == nullptr;
        if (peer.secure != nullptr) {
          EXPECT_EQ(transport.secure_connect(peer.id, *peer.secure, now), tls::Failure::kNone);
        }
        return;
      case transport::EventKind::kSecured:
        peer.connected = true;
        return;
      case transport::EventKind::kFailed:
        peer.failed = true;
        peer.failure = transport.security(peer.id)->failure();
        peer.alert = transport.security(peer.id)->alert();
        transport.release(peer.id, now);
        return;
      case transport::EventKind::kPeerClosed:
        peer.peer_closed = true;
        peer.truncated = event.truncated;
        return;
      case transport::EventKind::kClosed:
        peer.closed = true;
        peer.reason = event.reason;
        return;
      case transport::EventKind::kAccepted:
      case transport::EventKind::kReadable:
      case transport::EventKind::kWritable:
        return;
    }
  }

  bool serve(Peer& peer, base::Time now) {
    if (!peer.connected || peer.closed || peer.failed) return false;
    bool busy = false;
    if (peer.reading) {
      for (auto bytes = transport.readable(peer.id, now); !bytes.empty();
           bytes = transport.readable(peer.id, now)) {
        peer.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        transport.consume(peer.id, bytes.size(), now);
        busy = true;
      }
    }
    if (!peer.to_send.empty()) {
      const std::size_t n = transport.write(
          peer.id,
          {reinterpret_cast<const std::uint8_t*>(peer.to_send.data()), peer.to_send.size()}, now);
      peer.to_send.erase(0, n);
      busy |= n > 0;
    }
    if (peer.to_send.empty() && peer.close_when_sent && !peer.fin_sent) {
      transport.close(peer.id, now);
      peer.fin_sent = true;
      busy = true;
    }
    return busy;
  }

 public:
  ipc::WorkerCounters counters;
  tcp::Stack stack;
  transport::Transport transport;
  tls::CertificateSource* hosts = nullptr;  // what it shows on secure_port; null: it speaks no TLS
  std::uint16_t secure_port = 443;
  std::vector<std::unique_ptr<Peer>> peers;
};

// An RRset of one A record in the snapshot's blob form.
inline Bytes address_blob() {
  snapshot::BlobHeader header{};
  header.body_size = 16;
  header.body_count = 1;
  Bytes out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  for (const int b : {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1}) {
    out.push_back(static_cast<std::uint8_t>(b));
  }
  return out;
}

// Serves www (two origins), one (one origin), self (origin is the edge), none (no origin), six
// (IPv6 origin), both (IPv4 and IPv6 origin) and, DNS only, mail - all below example.com.
inline snapshot::Image make_image(const route::SettingsLayout& settings = {}) {
  snapshot::Builder builder{base::HashKey{}};
  EXPECT_TRUE(builder.put_zone(test::wire_name("example.com"), {1, address_blob()}).ok());
  EXPECT_TRUE(builder.put_name(test::wire_name("example.com"), {}).ok());
  const auto add = [&](const std::string& name, const std::vector<base::IpAddress>& origins,
                       bool proxied = true) {
    render::RouteSpec spec;
    spec.zone_name = "example.com";
    spec.origins = origins;
    const snapshot::Rrset address{1, address_blob()};
    const Bytes route = proxied ? render::render_route(spec) : Bytes{};
    const snapshot::NameContents contents{std::span(&address, 1), route, false, false};
    EXPECT_TRUE(builder.put_name(test::wire_name(name + ".example.com"), contents).ok());
  };
  add("www", {ip("203.0.113.1"), ip("203.0.113.2")});
  add("one", {ip("203.0.113.1")});
  add("self", {ip("192.0.2.1")});
  add("none", {});
  add("six", {ip("2001:db8::1")});
  add("both", {ip("203.0.113.1"), ip("2001:db8::1")});
  add("mail", {}, false);
  if (settings != route::SettingsLayout{}) {
    const route::TableKey key(route::TableGroup::kSettings);
    EXPECT_TRUE(builder.put_value(key.octets(), render::render_settings(settings)).ok());
  }
  auto image = builder.finish(1, 0);
  EXPECT_TRUE(image.ok());
  return std::move(image.value());
}

inline std::string chunked(const std::string& body, std::size_t step) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += step) {
    char head[32];
    const std::size_t n = std::min(step, body.size() - at);
    std::snprintf(head, sizeof head, "%zx\r\n", n);
    out += head + body.substr(at, n) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

// Takes the chunked framing off; "(broken)" when it is not complete and sound.
inline std::string unchunked(std::string_view wire) {
  std::string body;
  http1::ChunkDecoder decoder;
  while (!wire.empty() && !decoder.done()) {
    wire.remove_prefix(decoder.take_framing(wire));
    const std::size_t n = std::min<std::uint64_t>(decoder.body_due(), wire.size());
    body += wire.substr(0, n);
    decoder.take_body(n);
    wire.remove_prefix(n);
    if (decoder.failed()) return "(broken)";
  }
  return decoder.done() && wire.empty() ? body : "(broken)";
}

class StageFixture : public ::testing::Test {
 protected:
  static constexpr int kSettleTurns = 400;

  StageFixture() { rebuild({}, stack_config(256 * 1024), stack_config(256 * 1024)); }

  static tcp::StackConfig stack_config(std::uint32_t limit) {
    tcp::StackConfig config;
    config.receive_limit = limit;
    config.send_limit = limit;
    return config;
  }

  // New stacks and a new stage; `config` keeps what the test changed.
  void rebuild(StageConfig config, const tcp::StackConfig& edge, const tcp::StackConfig& peers) {
    edge_address_ = ip("192.0.2.1");
    config.max_clients = max_clients_;
    config.max_exchanges = max_exchanges_;
    config.max_origins = 64;
    config.source_v4 = ip("192.0.2.200");
    config.source_port_first = 20000;
    config.source_port_count = 2000;
    config.edge_addresses = {&edge_address_, 1};
    config.colo = "TST";
    config.wall_offset = seconds(1'700'000'000 - 1000);
    stage_.reset();
    transport_.reset();
    client_ = std::make_unique<Host>(peers, client_engine_.get());
    origin_ = std::make_unique<Host>(peers, origin_engine_.get());
    edge_memory_ = std::make_unique<Memory>(tcp::Stack::memory_size(edge));
    edge_ = std::make_unique<tcp::Stack>(edge, edge_memory_->span(), counters_);
    stage_memory_ = std::make_unique<Memory>(Stage::memory_size(config));
    transport_ = std::make_unique<transport::Transport>(
        *edge_, edge_engine_.get(),
        transport::TransportConfig{.connections = edge.max_connections, .plaintext_buffers = 64});
    stage_ = std::make_unique<Stage>(config, stage_memory_->span(), *transport_, counters_);
  }

  // ---- the wire ----
  bool deliver(tcp::Stack& from) {
    bool busy = false;
    tcp::SegmentOut out;
    while (from.next_segment(out, now_)) {
      busy = true;
      Bytes bytes(out.header_bytes().begin(), out.header_bytes().end());
      for (int i = 0; i < out.span_count; ++i) {
        bytes.insert(bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      route_segment({out.source, out.destination, bytes});
    }
    return busy;
  }

  void route_segment(const tcp::Segment& segment) {
    if (loss_percent_ > 0 && loss_() % 100 < loss_percent_) return;
    if (swallowed_.contains(segment.destination) || swallowed_.contains(segment.source)) return;
    if (refusing_.contains(segment.destination)) return refuse(segment);
    if (unreachable_.contains(segment.destination)) {
      const base::Endpoint local{segment.source, base::load_be16(segment.bytes.data())};
      const base::Endpoint remote{segment.destination, base::load_be16(segment.bytes.data() + 2)};
      edge_->unreachable(
          local, remote,
          {tcp::IcmpKind::kUnreachable, base::load_be32(segment.bytes.data() + 4), 0}, now_);
      return;
    }
    const std::string to(segment.destination.text().view());
    if (to.starts_with("192.0.2.") || to.starts_with("2001:db8:e:")) {
      edge_->receive(segment, now_);
    } else if (to.starts_with("198.51.100.")) {
      client_->stack.receive(segment, now_);
    } else {
      origin_->stack.receive(segment, now_);
    }
  }

  // RST in answer to a SYN, RFC 9293 3.10.7.1.
  void refuse(const tcp::Segment& syn) {
    std::array<std::uint8_t, 20> rst{};
    std::memcpy(rst.data(), syn.bytes.data() + 2, 2);
    std::memcpy(rst.data() + 2, syn.bytes.data(), 2);
    base::store_be32(rst.data() + 8, base::load_be32(syn.bytes.data() + 4) + 1);
    rst[12] = 5 << 4;
    rst[13] = 0x14;
    edge_->receive({syn.destination, syn.source, rst}, now_);
  }

  // ---- time ----
  void turn() {
    now_ += milliseconds(1);
    client_->stack.advance(now_);
    origin_->stack.advance(now_);
    edge_->advance(now_);
    client_->work(now_);
    origin_->work(now_);
    if (on_turn_) on_turn_();
    deliver(client_->stack);
    deliver(origin_->stack);
    stage_->run(image_->view(), now_);
    deliver(*edge_);
  }
  void settle(int turns = kSettleTurns) {
    for (int i = 0; i < turns; ++i) turn();
  }
  // Lets time pass in steps of 200 ms, with traffic running.
  void pass(base::Duration duration) {
    for (const base::Time end = now_ + duration; now_ < end; now_ += milliseconds(199)) turn();
  }
  template <typename Condition>
  bool settle_until(Condition condition, int turns = 20000) {
    for (int i = 0; i < turns; ++i) {
      if (condition()) return true;
      turn();
    }
    return condition();
  }

  // ---- peers ----
  Peer& connect(std::uint16_t port = 80) {
    const base::Endpoint local{ip("198.51.100.7"),
                               static_cast<std::uint16_t>(40000 + next_port_++)};
    Peer& peer = client_->open(local, {ip("192.0.2.1"), port}, now_);
    settle_until([&] { return peer.connected; }, 30'000);
    EXPECT_TRUE(peer.connected);
    return peer;
  }
  // The n-th connection that the origin side accepted.
  Peer& origin(std::size_t n) {
    settle_until([&] { return origin_->peers.size() > n; }, 2000);
    if (origin_->peers.size() <= n) throw std::runtime_error("no such origin connection");
    return *origin_->peers[n];
  }
  void send(Peer& peer, const std::string& text) { peer.to_send += text; }
  void abort_peer(Host& host, Peer& peer) {
    host.stack.abort(peer.id, now_);
    settle(5);
  }
  // Waits until the peer has received `text` at the end of what it got so far.
  bool receives(Peer& peer, const std::string& text) {
    return settle_until([&] { return peer.received.find(text) != std::string::npos; }, 3000);
  }
  static std::string get(const std::string& path = "/", const std::string& lines = "",
                         const std::string& host = "one.example.com") {
    return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + lines + "\r\n";
  }

  // A client that has had one response, which origin(0) sent; the connection to that is idle now.
  Peer& connect_and_get() {
    Peer& client = connect();
    send(client, get("/1"));
    EXPECT_TRUE(receives(origin(0), "GET /1 "));
    send(origin(0), ok("one"));
    EXPECT_TRUE(receives(client, "\r\n\r\none"));
    client.received.clear();
    return client;
  }
  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string body_of(const std::string& message) {
    const std::size_t at = message.find("\r\n\r\n");
    return at == std::string::npos ? "(no head)" : message.substr(at + 4);
  }
  std::uint64_t count(ipc::Counter counter) const { return counters_.get(counter); }

  base::Time now_ = base::Time(seconds(1000));
  std::optional<snapshot::Image> image_ = make_image();
  ipc::WorkerCounters counters_;
  std::uint32_t max_clients_ = 64;
  std::uint32_t max_exchanges_ = 32;
  base::IpAddress edge_address_;
  // Null: no TLS.
  std::unique_ptr<tls::Engine> client_engine_, edge_engine_, origin_engine_;
  std::unique_ptr<Memory> edge_memory_;
  std::unique_ptr<Memory> stage_memory_;
  std::unique_ptr<Host> client_;
  std::unique_ptr<Host> origin_;
  std::unique_ptr<tcp::Stack> edge_;
  std::unique_ptr<transport::Transport> transport_;
  std::unique_ptr<Stage> stage_;
  std::set<base::IpAddress> swallowed_;
  std::set<base::IpAddress> refusing_;
  std::set<base::IpAddress> unreachable_;
  std::function<void()> on_turn_;
  std::uint32_t loss_percent_ = 0;
  std::minstd_rand loss_;
  std::uint16_t next_port_ = 0;
};

// Tests in which somebody fails.
class FailureFixture : public StageFixture {
 protected:
  // The client got an error page of that status and type, which names no origin.
  void expect_error(Peer& client, int status, int type) {
    ASSERT_TRUE(receives(client, "</html>")) << client.received;
    EXPECT_EQ(client.received.rfind("HTTP/1.1 " + std::to_string(status) + " ", 0), 0U)
        << client.received;
    EXPECT_NE(client.received.find("cf-error-type: " + std::to_string(type) + "\r\n"),
              std::string::npos)
        << client.received;
    EXPECT_NE(client.received.find("\r\nCF-Ray: "), std::string::npos);
    EXPECT_NE(client.received.find("\r\ncf-error-origin: "), std::string::npos);
    EXPECT_EQ(client.received.find("203.0.113."), std::string::npos);
  }
  void expect_clean() {
    settle(20);
    EXPECT_EQ(stage_->exchange_count(), 0U);
  }
};

}  // namespace brink::l7::proxy::testing
