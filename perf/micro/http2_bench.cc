// What HTTP/2 costs: one request and its response through a client and a server session that talk
// in memory, both sides counted; and, printed once, what a session and a stream take of the arena.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "l7/http2/session.h"
#include "perf/support/micro.h"

namespace brink::l7::http2 {
namespace {

constexpr std::size_t kArena = 16U * 1024 * 1024;
constexpr base::Time kNow{std::chrono::seconds{1000}};

class Pair {
 public:
  explicit Pair(std::size_t body_size)
      : memory_(kArena / sizeof(std::max_align_t)),
        codec_(std::as_writable_bytes(std::span(memory_)), Settings{}, Settings{}),
        body_size_(body_size),
        room_(64 * 1024) {
    CHECK(server_.open(codec_, {pull, this}, kNow));
    CHECK(client_.open(codec_, {pull, this}, kNow));
    while (exchange()) {
    }
  }

  // `count` requests at once, and their responses.
  void requests(std::size_t count) {
    closed_ = 0;
    for (std::size_t i = 0; i < count; ++i) request();
    while (exchange()) {
    }
    CHECK(closed_ == count);
  }
  [[nodiscard]] const Arena& arena() const { return codec_.arena(); }
  [[nodiscard]] ServerSession& server() { return server_; }
  void request() {
    HeadWriter head(text_);
    head.request_line("GET", "/catalogue/garden/tools/spades?sort=price&page=3", "https",
                      "shop.example.com");
    head.field("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0");
    head.field("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    head.field("accept-language", "de,en-GB;q=0.7,en;q=0.3");
    head.field("accept-encoding", "gzip, deflate, br");
    head.field("cookie", "session=0123456789abcdef0123456789abcdef; consent=functional");
    head.end_head();
    CHECK(client_.request(head, http::Method::get, Body::none, 1) != 0);
  }
  bool exchange(bool answer = true) {
    answer_ = answer;
    const bool there = move(client_, server_);
    return move(server_, client_) || there;
  }

 private:
  static BodyPart pull(void* owner, StreamId, std::uint64_t, std::span<char> room) noexcept {
    auto& self = *static_cast<Pair*>(owner);
    const std::size_t n = std::min(room.size(), self.body_left_);
    self.body_left_ -= n;
    return {n, self.body_left_ == 0 ? BodyState::end : BodyState::more};
  }
  template <typename From, typename To>
  bool move(From& from, To& to) {
    const std::size_t size = from.write(room_, kNow);
    std::string_view rest(room_.data(), size);
    while (!rest.empty()) {
      rest.remove_prefix(to.feed(rest, kNow));
      take(to);
    }
    take(from);
    return size != 0;
  }
  template <typename End>
  void take(End& end) {
    Event event;
    while (end.next_event(event)) {
      if (event.kind == EventKind::request && answer_) respond(event.stream);
      if (event.kind == EventKind::body) end.consumed(event.stream, event.bytes.size());
      if (event.kind == EventKind::closed) closed_ += &end == static_cast<void*>(&client_) ? 1 : 0;
    }
  }
  void respond(StreamId stream) {
    HeadWriter head(text_);
    head.status_line(200);
    head.field("content-type", "text/html; charset=utf-8");
    head.field("content-length", body_size_);
    head.field("cache-control", "max-age=60");
    head.field("server", "brink");
    head.end_head();
    body_left_ = body_size_;
    CHECK(server_.respond(stream, head, body_size_ != 0 ? Body::source : Body::none));
  }

  std::vector<std::max_align_t> memory_;
  Codec codec_;
  std::size_t body_size_;
  std::size_t body_left_ = 0;
  std::size_t closed_ = 0;
  bool answer_ = true;
  std::vector<char> room_;
  char text_[2048];
  ServerSession server_;
  ClientSession client_;
};

// Arena bytes of a server session without streams, and of each of its open streams; allocations of
// the arena a request, of both ends together.
void report_memory() {
  Pair pair(128);
  const std::size_t idle = pair.server().memory_bytes();
  for (int i = 0; i < 64; ++i) pair.request();
  while (pair.exchange(false)) {
  }
  const std::size_t busy = pair.server().memory_bytes();
  Pair other(128);
  other.requests(1);
  const std::uint64_t before = other.arena().allocations();
  other.requests(1);
  std::fprintf(stderr,
               "http2: idle session %zu + %zu bytes, open stream %zu bytes, arena allocations a "
               "request (both ends) %llu\n",
               sizeof(ServerSession), idle, (busy - idle) / 64,
               static_cast<unsigned long long>(other.arena().allocations() - before));
}

int add(const char* name, std::size_t body_size, std::size_t at_once) {
  return perf::add_micro(name, [body_size, at_once]() -> perf::Batch {
    static const bool reported = (report_memory(), true);
    return [pair = std::make_shared<Pair>(body_size), at_once, ok = reported] {
      CHECK(ok);
      pair->requests(at_once);
      return at_once;
    };
  });
}

const int kRegistered[] = {add("http2/exchange_no_body", 0, 1),
                           add("http2/exchange_1K_body", 1024, 1),
                           add("http2/exchange_16_at_once", 0, 16)};

}  // namespace
}  // namespace brink::l7::http2
