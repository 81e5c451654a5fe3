// A client and the stage, each with a stack and a transport, joined by a wire in memory and virtual
// time: over TCP, or over TLS.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/tcp/simulator.h"
#include "dataplane/tls/pair_fixture.h"
#include "dns/stream/stage.h"
#include "tests/support/dns_image.h"

namespace brink::dns::stream {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Bytes = std::vector<std::uint8_t>;

// big.example.com TXT: some 50 KiB in one response.
inline std::string zone_text() {
  std::string text =
      "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\nwww 60 A 192.0.2.3\n";
  for (int i = 0; i < 200; ++i) {
    text += "big 60 TXT \"" + std::to_string(i) + std::string(240, 'x') + "\"\n";
  }
  return text;
}

inline const snapshot::Image& image() {
  static const snapshot::Image built = test::image_of_zones({{"example.com.", zone_text()}});
  return built;
}

inline tcp::StackConfig stack_config(std::uint32_t connections) {
  tcp::StackConfig config;
  config.max_connections = connections;
  config.chunk_count = 1024;
  config.receive_limit = 16 * 1024;
  config.send_limit = config.ahead_of_window = 128 * 1024;
  config.delayed_ack = milliseconds(1);
  return config;
}

inline Bytes framed(const Bytes& message) {
  Bytes frame(2 + message.size());
  base::store_be16(frame.data(), static_cast<std::uint16_t>(message.size()));
  std::copy(message.begin(), message.end(), frame.begin() + 2);
  return frame;
}

inline Bytes ask(std::string_view name, std::uint16_t type = 1) {
  return framed(test::question(name, type));
}

inline Bytes repeated(const Bytes& bytes, int times) {
  Bytes all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

// One end of the wire.
struct Host {
  Host(std::uint32_t connections, bool secure, transport::HandshakeBudget* handshakes = nullptr)
      : stack(stack_config(connections)), engine(secure ? tls::test::make_engine() : nullptr) {
    transport::TransportConfig config;
    config.connections = connections;
    config.plaintext_buffers = connections;
    config.plaintext_buffer_bytes = kPlaintextBuffer;
    config.handshakes = handshakes;
    transport.emplace(stack.stack, engine.get(), config);
  }

  tcp::sim::OwnedStack stack;
  std::unique_ptr<tls::Engine> engine;
  std::optional<transport::Transport> transport;
};

class StreamTest {
 protected:
  explicit StreamTest(bool secure, StageConfig config = small()) : secure_(secure) {
    bytes_ = certificate_.bytes();
    tls::HostSettings host;
    host.key = {1, 1};
    host.certificates = {&bytes_, 1};
    host.protocols = kProtocols;
    hosts_.fallback = host;
    origin_.origin = 7;
    origin_.server_name = "ns1.example.com";
    origin_.verify = false;
    make(config);
  }
  static StageConfig small() {
    StageConfig config;
    config.max_connections = 16;
    config.per_client_max = 8;
    return config;
  }

  void make(StageConfig config) {
    config.certificates = secure_ ? &hosts_ : nullptr;
    stage_.reset();
    server_ = std::make_unique<Host>(config.max_connections, secure_, &handshakes_);
    client_ = std::make_unique<Host>(64, secure_);
    memory_.resize(Stage::memory_size(config) + 64);
    const auto at = (reinterpret_cast<std::uintptr_t>(memory_.data()) + 63) / 64 * 64;
    stage_ = std::make_unique<Stage>(
        config, std::span(reinterpret_cast<std::byte*>(at), Stage::memory_size(config)),
        *server_->transport, engine_, counters_);
  }

  // Carries segments both ways until nobody has any, then lets time pass.
  void settle(base::Duration passed = milliseconds(5)) {
    for (int turn = 0; turn < 200; ++turn) {
      bool moved = carry(client_->stack.stack, server_->stack.stack);
      handshakes_.begin_turn();
      moved |= stage_->run(image().view(), now_);
      moved |= carry(server_->stack.stack, client_->stack.stack);
      take_events();
      if (!moved) break;
    }
    now_ += passed;
    client_->stack.stack.advance(now_);
    server_->stack.stack.advance(now_);
  }
  void pass(base::Duration time) {
    for (const base::Time until = now_ + time; now_ < until;) settle(milliseconds(50));
  }
  bool carry(tcp::Stack& from, tcp::Stack& to) {
    bool moved = false;
    for (tcp::SegmentOut out; from.next_segment(out, now_); moved = true) {
      Bytes bytes(out.header.begin(), out.header.begin() + out.header_size);
      for (int i = 0; i < out.span_count; ++i) {
        bytes.insert(bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      to.receive({out.source, out.destination, bytes}, now_);
    }
    return moved;
  }
  void take_events() {
    transport::Event event;
    while (client_->transport->next_event(event, now_)) {
      if (event.kind == transport::EventKind::kConnected && secure_ && !raw_) {
        EXPECT_EQ(client_->transport->secure_connect(event.id, origin_, now_), tls::Failure::kNone);
      }
    }
  }

  tcp::ConnectionId connect(const std::string& from = "198.51.100.1") {
    const base::Endpoint local{*base::IpAddress::parse(from), ++port_};
    const base::Endpoint remote{*base::IpAddress::parse("192.0.2.129"), 53};
    const auto opened = client_->transport->connect(local, remote, 0, now_);
    EXPECT_TRUE(opened.ok());
    settle();
    return opened.id;
  }
  // Without TLS, whatever the stage expects.
  tcp::ConnectionId connect_raw(const std::string& from = "198.51.100.1") {
    raw_ = true;
    const auto id = connect(from);
    raw_ = false;
    return id;
  }
  void write(tcp::ConnectionId id, const Bytes& bytes) {
    EXPECT_EQ(client_->transport->write(id, bytes, now_), bytes.size());
  }
  void send(tcp::ConnectionId id, const Bytes& bytes) {
    write(id, bytes);
    settle();
  }
  void close(tcp::ConnectionId id) {
    client_->transport->close(id, now_);
    settle();
  }
  // Everything that came, up to `most` octets.
  Bytes receive(tcp::ConnectionId id, std::size_t most = SIZE_MAX) {
    Bytes all;
    for (bool waited = false; all.size() < most;) {
      auto bytes = client_->transport->readable(id, now_);
      if (bytes.empty() && waited) break;
      waited = bytes.empty();  // half a record may have been read: there is room for the rest now
      bytes = bytes.first(std::min(bytes.size(), most - all.size()));
      all.insert(all.end(), bytes.begin(), bytes.end());
      client_->transport->consume(id, bytes.size(), now_);
      settle();
    }
    return all;
  }
  // The responses in what came, as text.
  std::vector<std::string> responses(tcp::ConnectionId id) { return split(receive(id)); }
  static std::vector<std::string> split(const Bytes& all) {
    std::vector<std::string> texts;
    for (std::size_t at = 0; at + 2 <= all.size();) {
      const std::size_t size = base::load_be16(all.data() + at);
      EXPECT_LE(at + 2 + size, all.size());
      if (at + 2 + size > all.size()) break;
      texts.push_back(test::response_text(Bytes(all.begin() + static_cast<long>(at) + 2,
                                                all.begin() + static_cast<long>(at + 2 + size))));
      at += 2 + size;
    }
    return texts;
  }
  bool is_open(tcp::ConnectionId id) {
    const auto info = client_->transport->info(id);
    return info.state == tcp::State::kEstablished && !info.peer_closed;
  }
  std::uint64_t count(ipc::Counter counter) const { return counters_.get(counter); }
  // The counter of the way that is taken.
  std::uint64_t count(ipc::Counter over_tcp, ipc::Counter over_tls) const {
    return count(secure_ ? over_tls : over_tcp);
  }

  static constexpr tls::Alpn kProtocols[] = {tls::Alpn::kDot};

  const bool secure_;
  bool raw_ = false;
  base::Time now_{seconds(100)};
  std::uint16_t port_ = 1024;
  tls::test::Certificate certificate_ = tls::test::Certificate({.names = {"ns1.example.com"}});
  tls::CertificateBytes bytes_;
  tls::test::Hosts hosts_;
  tls::OriginSettings origin_;
  answer::Engine engine_;
  ipc::WorkerCounters counters_;
  transport::HandshakeBudget handshakes_;
  Bytes memory_;
  std::unique_ptr<Host> server_, client_;
  std::unique_ptr<Stage> stage_;
};

}  // namespace brink::dns::stream
