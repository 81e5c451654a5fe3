// Segments and application calls from bytes, against one stack. The peer's numbers are taken near
// the stack's own, so that the input gets past the acceptability tests. After each input the
// invariants are checked, then everything is aborted and the clock moved on: nothing may be left.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dataplane/tcp/header.h"
#include "dataplane/tcp/simulator.h"

namespace brink::tcp {
namespace {

constexpr std::uint16_t kPorts = 4;

class Fuzz {
 public:
  explicit Fuzz(std::span<const std::uint8_t> input) : in_(input), owned_(config()) {}

  void run() {
    while (in_.ok() && in_.remaining() > 0) {
      step();
      CHECK(owned_.stack.connection_count() <= owned_.config.max_connections);
      CHECK(owned_.stack.free_chunks() <= owned_.config.chunk_count);
      CHECK(++turns_ < 100'000);
    }
    finish();
  }

 private:
  static StackConfig config() {
    StackConfig c;
    c.max_connections = 4;
    c.syn_backlog = 2;
    c.max_time_wait = 2;
    c.chunk_count = 24;
    c.receive_limit = c.send_limit = 16 * 1024;
    return c;
  }

  // What the peer at this port knows of us.
  struct View {
    std::uint32_t seq = 0;  // our next number, from our last segment
    std::uint32_t ack = 0;  // what we expect
    ConnectionId id;
  };

  void step() {
    const std::uint8_t op = in_.u8();
    View& view = views_[op >> 6];
    switch (op & 0x0f) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        segment(op >> 6, view);
        break;
      case 6:
        raw(op >> 6);
        break;
      case 7:
        write(view);
        break;
      case 8:
        owned_.stack.consume(view.id, in_.u16(), now_);
        break;
      case 9:
        owned_.stack.close(view.id, now_);
        break;
      case 10:
        if ((in_.u8() & 1) != 0) {
          owned_.stack.abort(view.id, now_);
        } else {
          owned_.stack.release(view.id, now_);
        }
        break;
      case 11:
        now_ += std::chrono::milliseconds(in_.u16() * 4);
        owned_.stack.advance(now_);
        break;
      case 12:
        now_ += std::chrono::milliseconds(in_.u8());
        owned_.stack.advance(now_);
        break;
      case 13:
        connect(op >> 6, view);
        break;
      case 14:
        owned_.stack.transfer(view.id, views_[in_.u8() % kPorts].id, in_.u16(), now_);
        break;
      case 15:
        icmp(op >> 6, view);
        break;
      default:
        break;
    }
    drain();
  }

  static base::Endpoint peer(unsigned port) {
    return {base::IpAddress::v4(0xc6336401), static_cast<std::uint16_t>(40000 + port)};
  }

  void segment(unsigned port, const View& view) {
    Header h;
    h.source_port = peer(port).port;
    h.destination_port = local_.port;
    h.flags = in_.u8();
    h.sequence =
        Sequence(view.ack + static_cast<std::uint32_t>(static_cast<std::int16_t>(in_.u16())));
    h.acknowledgment = Sequence(view.seq - in_.u8() * 64U);
    h.window = in_.u16();
    const std::uint8_t options = in_.u8();
    h.options.has_mss = (options & 1) != 0;
    h.options.mss = static_cast<std::uint16_t>(options * 16);
    h.options.has_window_scale = (options & 2) != 0;
    h.options.window_scale = options & 15;
    h.options.sack_permitted = (options & 4) != 0;
    h.options.has_timestamps = (options & 8) != 0;
    h.options.timestamp_value = options & 8 ? in_.u8() : 0;
    if ((options & 16) != 0) {
      h.options.sack_count = 2;
      for (unsigned i = 0; i < 2; ++i) {
        const Sequence start(view.seq - in_.u16());
        h.options.sack[i] = {start, start + in_.u16()};
      }
    }
    std::array<std::uint8_t, kMaxHeaderSize> header;
    const std::size_t size = build_header(h, header);
    std::vector<std::uint8_t> wire(header.begin(), header.begin() + size);
    wire.resize(size + in_.u16() % 3000, 'x');
    owned_.stack.receive({peer(port).address, local_.address, wire}, now_);
  }

  void raw(unsigned port) {
    const auto bytes = in_.bytes(std::min<std::size_t>(in_.u8(), in_.remaining()));
    std::vector<std::uint8_t> wire(bytes.begin(), bytes.end());
    if (wire.size() >= 4) {
      base::store_be16(wire.data(), peer(port).port);
      base::store_be16(wire.data() + 2, local_.port);
    }
    owned_.stack.receive({peer(port).address, local_.address, wire}, now_);
  }

  void write(const View& view) {
    const std::vector<std::uint8_t> bytes(in_.u16() % 20000, 'y');
    CHECK(owned_.stack.write(view.id, bytes, now_) <= bytes.size());
  }

  void connect(unsigned port, View& view) {
    const auto result = owned_.stack.connect(local_, peer(port), port, now_);
    if (result.ok()) view.id = result.id;
  }

  void icmp(unsigned port, const View& view) {
    const std::uint8_t kind = in_.u8();
    owned_.stack.unreachable(local_, peer(port),
                             {kind % 2 == 0 ? IcmpKind::kUnreachable : IcmpKind::kPacketTooBig,
                              view.seq - in_.u8(), in_.u16()},
                             now_);
  }

  void drain() {
    Event e;
    for (unsigned n = 0; owned_.stack.next_event(e); ++n) {
      CHECK(n < 1000);
      const std::uint16_t port = owned_.stack.info(e.id).remote.port;
      if (e.kind == EventKind::kAccepted) views_[(port - 40000) % kPorts].id = e.id;
    }
    SegmentOut out;
    for (unsigned n = 0; owned_.stack.next_segment(out, now_); ++n) {
      CHECK(n < 10'000);
      std::size_t payload = 0;
      for (unsigned i = 0; i < out.span_count; ++i) {
        payload += out.spans[i].size();
        for (const std::uint8_t b : out.spans[i]) CHECK(b == 'x' || b == 'y');
      }
      CHECK(payload == out.payload_size);
      Header h;
      CHECK(parse_header(out.header_bytes(), h) == out.header_size);
      View& view = views_[(h.destination_port - 40000) % kPorts];
      if (!h.has(kRst)) {
        view.seq = h.sequence.value() + out.payload_size + (h.has(kSyn) || h.has(kFin) ? 1U : 0U);
        if (h.has(kAck)) view.ack = h.acknowledgment.value();
      }
    }
  }

  // Nobody is stuck: with the application gone, time alone ends everything.
  void finish() {
    for (const View& view : views_) owned_.stack.abort(view.id, now_);
    for (int i = 0; i < 4000 && !empty(); ++i) {
      now_ += std::chrono::seconds(1);
      owned_.stack.advance(now_);
      drain();
    }
    CHECK(empty());
    CHECK(owned_.stack.free_chunks() == owned_.config.chunk_count);
  }
  bool empty() {
    const Stack& s = owned_.stack;
    return s.connection_count() == 0 && s.half_open_count() == 0 && s.time_wait_count() == 0;
  }

  base::ByteReader in_;
  sim::OwnedStack owned_;
  base::Endpoint local_{base::IpAddress::v4(0xc0000201), 80};
  base::Time now_{std::chrono::seconds(100)};
  View views_[kPorts];
  std::uint32_t turns_ = 0;
};

}  // namespace
}  // namespace brink::tcp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  brink::tcp::Fuzz({data, size}).run();
  return 0;
}
