// The stack's own cost, two stacks wired back to back without a network between them: a request and
// its response over one of many connections, a bulk stream, and opening plus closing. A figure
// counts both ends. Bytes are copied once into a packet buffer, as a port would.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/tcp/simulator.h"
#include "perf/support/micro.h"

namespace brink::tcp {
namespace {

const base::IpAddress kClient = base::IpAddress::v4(0xc6336401);
const base::Endpoint kServer{base::IpAddress::v4(0xc0000201), 80};

struct Pair {
  static StackConfig config(std::uint32_t connections) {
    StackConfig c;
    c.max_connections = connections + 64;
    c.chunk_count = 8192;
    c.keepalive_idle = {};
    c.idle_timeout = {};
    return c;
  }
  explicit Pair(std::uint32_t connections)
      : client(config(connections)), server(config(connections)) {}

  // Carries everything that either side has to send; returns the segments.
  std::uint32_t carry() {
    std::uint32_t segments = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (int i = 0; i < 2; ++i) {
        Stack& from = i == 0 ? client.stack : server.stack;
        Stack& to = i == 0 ? server.stack : client.stack;
        SegmentOut out;
        while (from.next_segment(out, now)) {
          std::size_t size = out.header_size;
          std::memcpy(packet, out.header.data(), size);
          for (unsigned s = 0; s < out.span_count; ++s) {
            std::memcpy(packet + size, out.spans[s].data(), out.spans[s].size());
            size += out.spans[s].size();
          }
          to.receive({out.source, out.destination, {packet, size}}, now);
          ++segments;
          moved = true;
        }
      }
    }
    return segments;
  }
  void step() {
    now += std::chrono::microseconds(50);
    client.stack.advance(now);
    server.stack.advance(now);
  }
  // Returns the client's id; the server's is in `accepted`.
  ConnectionId open(std::uint16_t port) {
    const auto result = client.stack.connect({kClient, port}, kServer, 0, now);
    carry();
    Event e;
    while (client.stack.next_event(e)) {
    }
    while (server.stack.next_event(e)) {
      if (e.kind == EventKind::kAccepted) accepted = e.id;
    }
    return result.id;
  }

  sim::OwnedStack client;
  sim::OwnedStack server;
  base::Time now{std::chrono::seconds(100)};
  ConnectionId accepted;
  std::uint8_t packet[2048];
};

// A request of 200 octets and its response of 1,000, over one of many open connections.
perf::Batch request_response(std::uint32_t connections) {
  struct Bench {
    explicit Bench(std::uint32_t count) : pair(count) {
      for (std::uint32_t i = 0; i < count; ++i) {
        ids.push_back(pair.open(static_cast<std::uint16_t>(1024 + i)));
        pair.step();
      }
    }
    std::size_t run() {
      pair.step();
      at = at * 1664525 + 1013904223;
      pair.client.stack.write(ids[(at >> 8) % ids.size()], request, pair.now);
      pair.carry();
      Event e;
      while (pair.server.stack.next_event(e)) {
        if (e.kind != EventKind::kReadable) continue;
        pair.server.stack.consume(e.id, pair.server.stack.readable(e.id).size(), pair.now);
        pair.server.stack.write(e.id, response, pair.now);
      }
      pair.carry();
      while (pair.client.stack.next_event(e)) {
        pair.client.stack.consume(e.id, pair.client.stack.readable(e.id).size(), pair.now);
      }
      return 1;
    }
    Pair pair;
    std::vector<ConnectionId> ids;
    const std::vector<std::uint8_t> request = std::vector<std::uint8_t>(200, 'q');
    const std::vector<std::uint8_t> response = std::vector<std::uint8_t>(1000, 'r');
    std::uint32_t at = 0;
  };
  return [bench = std::make_shared<Bench>(connections)] { return bench->run(); };
}

// Segments of a stream of 64 KiB writes.
perf::Batch bulk() {
  struct Bench {
    std::size_t run() {
      pair.step();
      pair.client.stack.write(id, block, pair.now);
      const std::uint32_t segments = pair.carry();
      Event e;
      while (pair.client.stack.next_event(e)) {
      }
      while (pair.server.stack.next_event(e)) {
      }
      for (auto span = pair.server.stack.readable(pair.accepted); !span.empty();
           span = pair.server.stack.readable(pair.accepted)) {
        pair.server.stack.consume(pair.accepted, span.size(), pair.now);
      }
      return segments;
    }
    Pair pair{1};
    const ConnectionId id = pair.open(1024);
    const std::vector<std::uint8_t> block = std::vector<std::uint8_t>(65536, 'b');
  };
  return [bench = std::make_shared<Bench>()] { return bench->run(); };
}

perf::Batch open_and_close() {
  struct Bench {
    std::size_t run() {
      pair.step();
      const ConnectionId id = pair.open(static_cast<std::uint16_t>(1024 + n++ % 60000));
      pair.client.stack.close(id, pair.now);
      pair.server.stack.close(pair.accepted, pair.now);
      pair.carry();
      Event e;
      while (pair.client.stack.next_event(e)) {
      }
      while (pair.server.stack.next_event(e)) {
      }
      return 1;
    }
    Pair pair{64};
    std::uint32_t n = 0;
  };
  return [bench = std::make_shared<Bench>()] { return bench->run(); };
}

const int kRegistered[] = {
    perf::add_micro("tcp/request_response/1", [] { return request_response(1); }),
    perf::add_micro("tcp/request_response/1k", [] { return request_response(1000); }),
    perf::add_micro("tcp/request_response/20k", [] { return request_response(20000); }),
    perf::add_micro("tcp/bulk_segment", bulk),
    perf::add_micro("tcp/open_and_close", open_and_close),
};

}  // namespace
}  // namespace brink::tcp
