// Script: packet tests of one stack that read top-down. The peer is played by the test: it injects
// segments, expects segments, moves the clock. Peer sequence numbers start at kPeerIsn and are
// given relative to it (`seq(1)` is the first byte after the SYN); numbers of ours are relative to
// our ISN. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "dataplane/tcp/header.h"
#include "dataplane/tcp/simulator.h"

namespace brink::tcp {

struct Sent {  // a segment of the stack, numbers relative
  std::uint8_t flags = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint16_t window = 0;
  Options options;
  std::string payload;
};

// What the peer sends; build with in().
struct In {
  std::uint8_t flag_bits = kAck;
  std::uint32_t seq_ = 0;
  std::uint32_t ack_ = 0;
  std::uint16_t window_ = 65535;
  std::string data_;
  Options options_;

  In& flags(std::uint8_t f) { return flag_bits = f, *this; }
  In& seq(std::uint32_t s) { return seq_ = s, *this; }
  In& ack(std::uint32_t a) { return ack_ = a, *this; }
  In& window(std::uint16_t w) { return window_ = w, *this; }
  In& data(std::string d) { return data_ = std::move(d), *this; }
  In& mss(std::uint16_t m) { return options_.has_mss = true, options_.mss = m, *this; }
  In& scale(std::uint8_t s) {
    return options_.has_window_scale = true, options_.window_scale = s, *this;
  }
  In& sack_permitted() { return options_.sack_permitted = true, *this; }
  In& timestamps(std::uint32_t value, std::uint32_t echo = 0) {
    options_.has_timestamps = true;
    options_.timestamp_value = value;
    options_.timestamp_echo = echo;
    return *this;
  }
  // In numbers of ours.
  In& sack(std::uint32_t start, std::uint32_t end) {
    options_.sack[options_.sack_count++] = {Sequence(start), Sequence(end)};
    return *this;
  }
};
inline In in() {
  return {};
}

// A text of this size.
inline std::string text(std::size_t size) {
  std::string s(size, '\0');
  for (std::size_t i = 0; i < size; ++i) s[i] = static_cast<char>('a' + i % 26);
  return s;
}

class Script {
 public:
  static constexpr std::uint32_t kPeerIsn = 1000;

  explicit Script(const StackConfig& config = default_config()) : owned(config) {}

  static StackConfig default_config() {
    StackConfig config;
    config.max_connections = 8;
    config.syn_backlog = 4;
    config.max_time_wait = 4;
    config.chunk_count = 256;
    config.receive_limit = config.send_limit = 64 * 1024;
    config.keepalive_idle = {};
    config.idle_timeout = {};
    return config;
  }

  // ---- the peer ----
  Verdict inject(const In& segment) {
    Header header;
    header.source_port = peer.port;
    header.destination_port = local.port;
    header.flags = segment.flag_bits;
    header.sequence = Sequence(kPeerIsn + segment.seq_);
    header.acknowledgment = Sequence(isn + segment.ack_);
    header.window = segment.window_;
    header.options = segment.options_;
    for (unsigned i = 0; i < header.options.sack_count; ++i) {
      header.options.sack[i].start += isn;
      header.options.sack[i].end += isn;
    }
    std::array<std::uint8_t, kMaxHeaderSize> bytes;
    const std::size_t size = build_header(header, bytes);
    std::vector<std::uint8_t> wire(bytes.begin(), bytes.begin() + size);
    wire.insert(wire.end(), segment.data_.begin(), segment.data_.end());
    return owned.stack.receive({peer.address, local.address, wire}, now);
  }

  // The next segment, or nothing. A SYN of ours sets our ISN.
  std::optional<Sent> next() {
    SegmentOut out;
    if (!owned.stack.next_segment(out, now)) return std::nullopt;
    Header header;
    EXPECT_EQ(parse_header(out.header_bytes(), header), out.header_size);
    EXPECT_EQ(out.destination, peer.address);
    EXPECT_EQ(header.destination_port, peer.port);
    if (header.has(kSyn)) isn = header.sequence.value();
    Sent sent;
    sent.flags = header.flags;
    sent.seq = header.sequence.value() - isn;
    sent.ack = header.has(kAck) ? header.acknowledgment.value() - kPeerIsn : 0;
    sent.window = header.window;
    sent.options = header.options;
    for (unsigned i = 0; i < out.span_count; ++i) {
      sent.payload.append(out.spans[i].begin(), out.spans[i].end());
    }
    EXPECT_EQ(sent.payload.size(), out.payload_size);
    return sent;
  }
  // Precondition of the test: there is one.
  Sent expect() {
    const auto sent = next();
    EXPECT_TRUE(sent.has_value()) << "nothing was sent";
    return sent.value_or(Sent{});
  }
  void expect(std::uint8_t flags, std::uint32_t seq, std::uint32_t ack, std::size_t size = 0) {
    const Sent sent = expect();
    EXPECT_EQ(sent.flags & ~kPsh, flags);
    EXPECT_EQ(sent.seq, seq);
    EXPECT_EQ(sent.ack, ack);
    EXPECT_EQ(sent.payload.size(), size);
  }
  void expect_silence() {
    const auto sent = next();
    EXPECT_FALSE(sent.has_value()) << "flags " << int(sent->flags) << " seq " << sent->seq
                                   << " ack " << sent->ack << " size " << sent->payload.size();
  }
  std::vector<Sent> drain() {
    std::vector<Sent> all;
    while (auto sent = next()) all.push_back(*sent);
    return all;
  }

  // ---- time ----
  void advance(base::Duration by) {
    now += by;
    owned.stack.advance(now);
  }

  // ---- the application ----
  std::optional<Event> event() {
    Event e;
    return owned.stack.next_event(e) ? std::optional(e) : std::nullopt;
  }
  void expect_event(EventKind kind) {
    const auto e = event();
    ASSERT_TRUE(e.has_value()) << "no event";
    EXPECT_EQ(e->kind, kind);
    if (kind == EventKind::kAccepted) id = e->id;
    EXPECT_EQ(e->id, id);
  }
  void expect_closed(CloseReason reason) {
    const auto e = event();
    ASSERT_TRUE(e.has_value()) << "no event";
    EXPECT_EQ(e->kind, EventKind::kClosed);
    EXPECT_EQ(e->reason, reason);
    EXPECT_FALSE(event().has_value());
  }
  void expect_no_event() { EXPECT_FALSE(event().has_value()); }
  std::size_t write(const std::string& data) {
    return stack().write(id, {reinterpret_cast<const std::uint8_t*>(data.data()), data.size()},
                         now);
  }
  std::string read() {
    std::string all;
    for (auto bytes = stack().readable(id); !bytes.empty(); bytes = stack().readable(id)) {
      all.append(bytes.begin(), bytes.end());
      stack().consume(id, bytes.size(), now);
    }
    return all;
  }
  void close() { stack().close(id, now); }
  State state() { return stack().info(id).state; }
  Stack& stack() { return owned.stack; }
  std::uint64_t counter(ipc::Counter c) { return owned.counters.get(c); }

  // ---- openings ----
  // The peer connects; `syn` may carry options. Leaves the connection established, nothing pending.
  void accept(In syn = in().mss(1000)) {
    inject(syn.flags(kSyn).seq(0));
    expect(kSyn | kAck, 0, 1);
    In third = in().seq(1).ack(1);
    if (syn.options_.has_timestamps) third.timestamps(syn.options_.timestamp_value);
    EXPECT_EQ(inject(third), Verdict::kAccepted);
    expect_event(EventKind::kAccepted);
    expect_silence();
  }
  // We connect; leaves our SYN sent.
  Sent connect() {
    const auto result = stack().connect(local, peer, 42, now);
    EXPECT_TRUE(result.ok());
    id = result.id;
    const Sent syn = expect();
    EXPECT_EQ(syn.flags, kSyn);
    return syn;
  }
  void connect_fully(In answer = in().mss(1000)) {
    connect();
    inject(answer.flags(kSyn | kAck).seq(0).ack(1));
    expect_event(EventKind::kConnected);
    expect(kAck, 1, 1);
    expect_silence();
  }
  // Everything but TIME_WAIT is gone.
  void expect_nothing_held() {
    EXPECT_EQ(stack().connection_count(), 0U);
    EXPECT_EQ(stack().half_open_count(), 0U);
    EXPECT_EQ(stack().free_chunks(), owned.config.chunk_count);
  }

  void expect_no_chunk_held() { EXPECT_EQ(stack().free_chunks(), owned.config.chunk_count); }

  sim::OwnedStack owned;
  base::Time now{std::chrono::seconds(100)};
  base::Endpoint local{base::IpAddress::v4(0xc0000201), 80};
  base::Endpoint peer{base::IpAddress::v4(0xc6336401), 40000};
  std::uint32_t isn = 0;
  ConnectionId id;
};

}  // namespace brink::tcp
