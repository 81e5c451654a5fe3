// An HTTP/2 server over cleartext TCP on the loopback, for real clients to try the session with:
//     http2_test_server PORT
// GET /N answers N bytes (512 without a number), POST answers the number of bytes that came,
// /trailers adds trailers. One thread; ends with SIGTERM.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "l7/http2/session.h"

namespace brink::l7::http2 {
namespace {

base::Time clock_now() {
  return base::Time{std::chrono::duration_cast<base::Duration>(
      std::chrono::steady_clock::now().time_since_epoch())};
}

struct Answer {
  std::uint64_t came = 0;
  std::uint64_t left = 0;
  bool post = false;
  bool trailers = false;
};

class Connection {
 public:
  Connection(int socket, Codec& codec) : socket_(socket) {
    alive_ = session_.open(codec, {pull, this}, clock_now());
  }
  ~Connection() { close(socket_); }

  // False when it has ended.
  bool readable() {
    char bytes[16384];
    const ssize_t n = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    std::string_view rest(bytes, static_cast<std::size_t>(n));
    while (!rest.empty()) {
      rest.remove_prefix(session_.feed(rest, clock_now()));
      take_events();
    }
    return flush();
  }
  bool flush() {
    for (;;) {
      if (out_at_ == out_size_) {
        out_at_ = 0;
        out_size_ = session_.write(out_, clock_now());
        take_events();
        if (out_size_ == 0) break;
      }
      const ssize_t n =
          send(socket_, out_.data() + out_at_, out_size_ - out_at_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      out_at_ += static_cast<std::size_t>(n);
    }
    if (!session_.finished()) return alive_;
    shutdown(socket_, SHUT_WR);
    return false;
  }
  bool tick() {
    session_.advance(clock_now());
    take_events();
    return flush();
  }
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] bool blocked() const { return out_at_ != out_size_; }

 private:
  static BodyPart pull(void* owner, StreamId stream, std::uint64_t /*tag*/,
                       std::span<char> room) noexcept {
    auto& self = *static_cast<Connection*>(owner);
    Answer& answer = self.answers_[stream];
    const std::size_t n = std::min<std::uint64_t>(answer.left, room.size());
    std::fill_n(room.begin(), n, 'x');
    answer.left -= n;
    if (answer.left != 0) return {n, BodyState::more};
    if (!answer.trailers) return {n, BodyState::end};
    self.trailer_ = std::make_unique<HeadWriter>(self.trailer_text_);
    self.trailer_->field("x-sum", "0");
    return {n, BodyState::trailers, self.trailer_.get()};
  }
  void take_events() {
    Event event;
    while (session_.next_event(event)) {
      switch (event.kind) {
        case EventKind::request:
          begin(event);
          break;
        case EventKind::refused:
          answer(event.stream, http::status_of(event.verdict), "");
          break;
        case EventKind::body:
          answers_[event.stream].came += event.bytes.size();
          session_.consumed(event.stream, event.bytes.size());
          break;
        case EventKind::end:
          finish(event.stream);
          break;
        case EventKind::closed:
        case EventKind::reset:
          answers_.erase(event.stream);
          break;
        case EventKind::none:
        case EventKind::response:
          break;
      }
    }
  }
  void begin(const Event& event) {
    const http::RequestHead& head = *event.request;
    const std::string path(head.fields.text(head.target));
    Answer made;
    made.post = head.method == http::Method::post;
    made.trailers = path == "/trailers";
    made.left =
        path.size() > 1 && path[1] <= '9' ? std::strtoull(path.c_str() + 1, nullptr, 10) : 512;
    answers_[event.stream] = made;
    if (head.body.kind == http::BodyKind::none) finish(event.stream);
  }
  void finish(StreamId stream) {
    const Answer& made = answers_[stream];
    if (made.post) return answer(stream, 200, std::to_string(made.came) + "\n");
    char text[256];
    HeadWriter head(text);
    head.status_line(200);
    head.field("content-type", "text/plain");
    if (!made.trailers) head.field("content-length", made.left);
    head.end_head();
    session_.respond(stream, head, Body::source);
  }
  void answer(StreamId stream, std::uint16_t status, std::string_view value) {
    char text[256];
    HeadWriter head(text);
    head.status_line(status);
    if (!value.empty()) head.field("x-came", value.substr(0, value.size() - 1));
    head.field("content-length", std::uint64_t{0});
    head.end_head();
    session_.respond(stream, head, Body::none);
  }

  int socket_;
  bool alive_ = false;
  ServerSession session_;
  std::map<StreamId, Answer> answers_;
  std::vector<char> out_ = std::vector<char>(64 * 1024);
  std::size_t out_size_ = 0;
  std::size_t out_at_ = 0;
  char trailer_text_[64] = {};
  std::unique_ptr<HeadWriter> trailer_;
};

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 128) != 0) {
    std::perror("http2_test_server: 127.0.0.1");
    std::exit(1);
  }
  return listener;
}

int serve(std::uint16_t port) {
  constexpr std::size_t kArena = 256U * 1024 * 1024;
  std::vector<std::max_align_t> memory(kArena / sizeof(std::max_align_t));
  Codec codec(std::as_writable_bytes(std::span(memory)), Settings{}, Settings{});
  const int listener = listen_on(port);
  std::map<int, std::unique_ptr<Connection>> connections;
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign(1, {listener, POLLIN, 0});
    for (const auto& [fd, connection] : connections) {
      const bool blocked = connection->blocked();
      polled.push_back({fd, static_cast<short>(POLLIN | (blocked ? POLLOUT : 0)), 0});
    }
    if (poll(polled.data(), polled.size(), 1000) < 0) return 1;
    for (const pollfd& p : polled) {
      if (p.fd == listener) continue;
      Connection& connection = *connections[p.fd];
      bool alive = p.revents == 0 ? connection.tick() : true;
      if (alive && (p.revents & POLLOUT) != 0) alive = connection.flush();
      if (alive && (p.revents & ~POLLOUT) != 0) alive = connection.readable();
      if (!alive) connections.erase(p.fd);
    }
    if ((polled[0].revents & POLLIN) == 0) continue;
    const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (accepted < 0) continue;
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[accepted] = std::make_unique<Connection>(accepted, codec);
  }
}

}  // namespace
}  // namespace brink::l7::http2

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (port < 1 || port > 65535) {
    std::fprintf(stderr, "usage: http2_test_server PORT\n");
    return 2;
  }
  return brink::l7::http2::serve(static_cast<std::uint16_t>(port));
}
