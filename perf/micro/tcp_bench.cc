// The stack's own cost, two stacks wired back to back without a network between them: a request and
// its response over one of many connections, a bulk stream, and opening plus closing. A figure
// counts both ends. Bytes are copied once into a packet buffer, as a port would.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "dataplane/tcp/simulator.h"

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

void request_response(benchmark::State& state) {
  const auto connections = static_cast<std::uint32_t>(state.range(0));
  Pair pair(connections);
  std::vector<ConnectionId> ids;
  for (std::uint32_t i = 0; i < connections; ++i) {
    ids.push_back(pair.open(static_cast<std::uint16_t>(1024 + i)));
    pair.step();
  }
  const std::vector<std::uint8_t> request(200, 'q');
  const std::vector<std::uint8_t> response(1000, 'r');
  std::uint64_t segments = 0;
  std::uint32_t at = 0;
  for (auto _ : state) {
    pair.step();
    at = at * 1664525 + 1013904223;
    const ConnectionId id = ids[(at >> 8) % connections];
    pair.client.stack.write(id, request, pair.now);
    segments += pair.carry();
    Event e;
    while (pair.server.stack.next_event(e)) {
      if (e.kind != EventKind::kReadable) continue;
      pair.server.stack.consume(e.id, pair.server.stack.readable(e.id).size(), pair.now);
      pair.server.stack.write(e.id, response, pair.now);
    }
    segments += pair.carry();
    while (pair.client.stack.next_event(e)) {
      pair.client.stack.consume(e.id, pair.client.stack.readable(e.id).size(), pair.now);
    }
  }
  state.counters["segments/op"] =
      static_cast<double>(segments) / static_cast<double>(state.iterations());
}
BENCHMARK(request_response)->Arg(1)->Arg(1000)->Arg(20000);

void bulk(benchmark::State& state) {
  Pair pair(1);
  const ConnectionId id = pair.open(1024);
  const std::vector<std::uint8_t> block(65536, 'b');
  std::int64_t bytes = 0;
  for (auto _ : state) {
    pair.step();
    pair.client.stack.write(id, block, pair.now);
    pair.carry();
    Event e;
    while (pair.client.stack.next_event(e)) {
    }
    while (pair.server.stack.next_event(e)) {
    }
    for (auto span = pair.server.stack.readable(pair.accepted); !span.empty();
         span = pair.server.stack.readable(pair.accepted)) {
      bytes += static_cast<std::int64_t>(span.size());
      pair.server.stack.consume(pair.accepted, span.size(), pair.now);
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(bulk);

void open_and_close(benchmark::State& state) {
  Pair pair(64);
  std::uint32_t n = 0;
  for (auto _ : state) {
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
  }
}
BENCHMARK(open_and_close);

}  // namespace
}  // namespace brink::tcp
