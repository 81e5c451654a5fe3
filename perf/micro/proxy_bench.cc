// A whole request through the proxy stage, with the TCP stacks of client, edge and origin wired
// back to back: answered by the edge itself, or by an origin with 1 KB, over kept connections;
// plain and, on the client's side, under TLS. A figure counts all ends.
#include <memory>
#include <string>

#include "dataplane/base/check.h"
#include "l7/proxy/stage_test_world.h"
#include "perf/support/micro.h"

namespace brink::l7::proxy::testing {
namespace {

constexpr std::uint32_t kConnections = 64;

class Bench : public StageFixture {
 public:
  Bench(std::string path, std::size_t body)
      : request_(get(path)), response_(ok(std::string(body, 'b'))) {
    max_clients_ = kConnections;
    rebuild({}, stack_config(64 * 1024), stack_config(64 * 1024));
    for (std::uint32_t i = 0; i < kConnections; ++i) ids_.push_back(connect().id);
    client_->peers.clear();
    for (std::uint32_t i = 0; i < kConnections; ++i) run();
  }

  std::size_t run() {
    now_ += std::chrono::microseconds(50);
    client_->stack.advance(now_);
    edge_->advance(now_);
    origin_->stack.advance(now_);
    client_->stack.write(ids_[next_++ % kConnections], octets(request_), now_);
    std::size_t received = 0;
    for (int turns = 0; received == 0; ++turns) {
      CHECK(turns < 100);
      move(client_->stack);
      stage_->run(image_->view(), now_);
      move(*edge_);
      answer();
      move(origin_->stack);
      received = drain();
    }
    return 1;
  }

 private:
  void TestBody() override {}

  static std::span<const std::uint8_t> octets(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  void move(tcp::Stack& from) {
    tcp::SegmentOut out;
    while (from.next_segment(out, now_)) {
      std::size_t size = out.header_size;
      std::memcpy(packet_, out.header.data(), size);
      for (int i = 0; i < out.span_count; ++i) {
        std::memcpy(packet_ + size, out.spans[i].data(), out.spans[i].size());
        size += out.spans[i].size();
      }
      const std::uint32_t to = base::load_be32(out.destination.v4_wire());
      tcp::Stack& stack = to >> 8 == 0xc63364   ? client_->stack
                          : to >> 8 == 0xc00002 ? *edge_
                                                : origin_->stack;
      stack.receive({out.source, out.destination, {packet_, size}}, now_);
    }
  }

  void answer() {
    tcp::Event event;
    while (origin_->stack.next_event(event)) {
      if (event.kind != tcp::EventKind::kReadable) continue;
      origin_->stack.consume(event.id, origin_->stack.readable_bytes(event.id), now_);
      origin_->stack.write(event.id, octets(response_), now_);
    }
  }

  std::size_t drain() {
    tcp::Event event;
    std::size_t received = 0;
    while (client_->stack.next_event(event)) {
      const std::size_t size = client_->stack.readable_bytes(event.id);
      client_->stack.consume(event.id, size, now_);
      received += size;
    }
    return received;
  }

  const std::string request_, response_;
  std::vector<tcp::ConnectionId> ids_;
  std::size_t next_ = 0;
  std::uint8_t packet_[2048];
};

perf::Batch requests(const std::string& path, std::size_t body) {
  return [bench = std::make_shared<Bench>(path, body)] { return bench->run(); };
}

const int registered =
    perf::add_micro("proxy/trace", [] { return requests("/cdn-cgi/trace", 0); }) +
    perf::add_micro("proxy/proxied_1k", [] { return requests("/", 1024); });

}  // namespace
}  // namespace brink::l7::proxy::testing
