// Any octets from a client, in any pieces: what comes back are whole messages, framed, and the same
// octets whatever the pieces were. The input: how many pieces' sizes there are, the sizes, the
// octets.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dataplane/tcp/simulator.h"
#include "dns/stream/stage.h"
#include "tests/support/dns_image.h"

namespace brink::dns::stream {
namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kInputMax = 4096;
constexpr int kTurnsMax = 10'000;

const snapshot::Image& image() {
  static const snapshot::Image built = test::image_of_zones(
      {{"example.com.",
        "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n*.w 60 A 192.0.2.2\n"
        "alias 60 CNAME ns1\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.4\n"}});
  return built;
}

tcp::StackConfig stack_config() {
  tcp::StackConfig config;
  config.max_connections = 4;
  config.chunk_count = 1024;
  config.receive_limit = 16 * 1024;
  config.send_limit = config.ahead_of_window = 128 * 1024;
  config.delayed_ack = milliseconds(1);
  return config;
}

// A client's stack and the stage's, and one connection between them.
class Dialogue {
 public:
  Dialogue() : client_(stack_config()), server_(stack_config()) {
    config_.max_connections = 4;
    config_.per_client_max = 4;
    memory_.resize(Stage::memory_size(config_) + 64);
    const auto at = (reinterpret_cast<std::uintptr_t>(memory_.data()) + 63) / 64 * 64;
    stage_ = std::make_unique<Stage>(
        config_, std::span(reinterpret_cast<std::byte*>(at), Stage::memory_size(config_)),
        transport_, engine_, counters_);
    const auto opened =
        client_.stack.connect({*base::IpAddress::parse("198.51.100.1"), 4000},
                              {*base::IpAddress::parse("192.0.2.129"), 53}, 0, now_);
    CHECK(opened.ok());
    id_ = opened.id;
    settle();
  }

  void send(std::span<const std::uint8_t> piece) {
    client_.stack.write(id_, piece, now_);  // nothing is taken once the other side has closed
    settle();
  }
  const Bytes& received() const { return received_; }

 private:
  void settle() {
    bool moved = true;
    for (int turn = 0; moved; ++turn) {
      CHECK(turn < kTurnsMax);
      moved = carry(client_.stack, server_.stack);
      moved |= stage_->run(image().view(), now_);
      moved |= carry(server_.stack, client_.stack);
    }
    now_ += milliseconds(5);
    client_.stack.advance(now_);
    server_.stack.advance(now_);
  }
  bool carry(tcp::Stack& from, tcp::Stack& to) {
    bool moved = false;
    for (tcp::SegmentOut out; from.next_segment(out, now_); moved = true) {
      Bytes bytes(out.header.begin(), out.header.begin() + out.header_size);
      for (int i = 0; i < out.span_count; ++i) {
        bytes.insert(bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      to.receive({out.source, out.destination, bytes}, now_);
      read();  // at once: a reset takes what is unread
    }
    return moved;
  }

  void read() {
    for (auto bytes = client_.stack.readable(id_); !bytes.empty();
         bytes = client_.stack.readable(id_)) {
      received_.insert(received_.end(), bytes.begin(), bytes.end());
      client_.stack.consume(id_, bytes.size(), now_);
    }
  }

  StageConfig config_;
  tcp::sim::OwnedStack client_, server_;
  transport::Transport transport_{server_.stack, nullptr, {}};
  answer::Engine engine_;
  ipc::WorkerCounters counters_;
  std::vector<std::byte> memory_;
  std::unique_ptr<Stage> stage_;
  tcp::ConnectionId id_;
  Bytes received_;
  base::Time now_{};
};

void check_frames(const Bytes& stream) {
  std::size_t at = 0;
  while (at < stream.size()) {
    CHECK(at + 2 <= stream.size());
    const std::size_t size = base::load_be16(stream.data() + at);
    CHECK(size >= 12 && at + 2 + size <= stream.size());
    const auto message = stream.begin() + static_cast<std::ptrdiff_t>(at + 2);
    const std::string text =
        test::response_text(Bytes(message, message + static_cast<std::ptrdiff_t>(size)));
    CHECK(!text.starts_with("malformed"));
    at += 2 + size;
  }
}

void fuzz(std::span<const std::uint8_t> input) {
  if (input.empty() || input.size() > kInputMax) return;
  const std::size_t sizes = std::min<std::size_t>(input[0], input.size() - 1);
  const auto cuts = input.subspan(1, sizes);
  const auto octets = input.subspan(1 + sizes);
  Dialogue whole, pieces;
  whole.send(octets);
  auto rest = octets;
  for (const std::uint8_t cut : cuts) {
    const std::size_t size = std::min<std::size_t>(cut, rest.size());
    if (size != 0) pieces.send(rest.first(size));
    rest = rest.subspan(size);
  }
  if (!rest.empty()) pieces.send(rest);
  check_frames(whole.received());
  const Bytes &a = whole.received(), &b = pieces.received();
  const std::size_t common = std::min(a.size(), b.size());
  CHECK(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin()));
}

}  // namespace
}  // namespace brink::dns::stream

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  brink::dns::stream::fuzz({data, size});
  return 0;
}
