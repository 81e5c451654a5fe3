// A server and a client session against arbitrary frames: nothing is read outside the input
// (sanitizers), the owner's contract holds (each stream has one last event, bytes handed out stay
// within the windows), all memory comes back, and cutting the input differently changes nothing.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "l7/http2/session_test_world.h"

namespace {

using namespace brink;             // NOLINT
using namespace brink::l7::http2;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::size_t kArena = 4U * 1024 * 1024;
// Bytes that an owner sends, however wide the peer has opened its windows.
constexpr std::size_t kBodiesMax = 256U * 1024;

// An owner that answers requests, consumes most of what comes and checks what it is told.
template <typename Session>
class Owner {
 public:
  explicit Owner(Codec& codec) {
    require(session.open(codec, {pull, this}, now));
    if constexpr (std::is_same_v<Session, ClientSession>) {
      for (int i = 0; i < 4; ++i) request(i % 2 == 0);
    }
    flush();
  }

  void take(const std::string& segment) {
    std::string_view rest = segment;
    while (!rest.empty()) {
      const std::size_t n = session.feed(rest, now);
      require(n <= rest.size());
      if (n == 0) require(events() != 0);
      rest.remove_prefix(n);
      events();
    }
  }
  void flush() {
    char room[2000];
    while (const std::size_t n = session.write(room, now)) {
      require(n <= sizeof room);
      sent += n;
      events();
    }
    events();
  }
  std::size_t events() {
    std::size_t count = 0;
    Event event;
    for (; session.next_event(event); ++count) on_event(event);
    return count;
  }
  void end() {
    now += std::chrono::hours{1};
    session.advance(now);
    events();
    flush();
    session.abandon();
    events();
    require(session.finished());
    require(live.empty());
  }

  Session session;
  base::Time now{std::chrono::seconds{1000}};
  std::map<StreamId, std::uint64_t> live;  // bytes handed out and not consumed
  std::vector<std::string> log;            // what was told, without the cuts of bodies
  std::size_t sent = 0;

 private:
  static BodyPart pull(void* owner, StreamId stream, std::uint64_t, std::span<char> room) noexcept {
    std::size_t& left = static_cast<Owner*>(owner)->bodies_left_;
    const std::size_t n = std::min({room.size(), left, std::size_t{100}});
    std::fill_n(room.begin(), n, 'x');
    left -= n;
    return {n, stream % 4 == 1 ? BodyState::end : BodyState::blocked};
  }
  void request(bool with_body) {
    if constexpr (std::is_same_v<Session, ClientSession>) {
      char text[256];
      HeadWriter head(text);
      head.request_line("POST", "/", "https", "a.example");
      const StreamId id =
          session.request(head, l7::http::Method::post, with_body ? Body::source : Body::none, 7);
      if (id != 0) live[id] = 0;
    }
  }
  void note(const Event& event, const std::string& more) {
    log.push_back(std::to_string(static_cast<int>(event.kind)) + " " +
                  std::to_string(event.stream) + " " + more);
  }
  void on_event(const Event& event) {
    const StreamId id = event.stream;
    require(id > 0);
    switch (event.kind) {
      case EventKind::none:
        require(false);
        break;
      case EventKind::request:
        require(live.emplace(id, 0).second);
        check_fields(event.request->fields);
        note(event, std::string(event.request->fields.text(event.request->target)));
        respond(id, Body::source);
        break;
      case EventKind::refused:
        require(live.emplace(id, 0).second);
        note(event, std::string(name_of(event.verdict)));
        respond(id, Body::none);
        break;
      case EventKind::response:
        require(live.contains(id));
        check_fields(event.response->fields);
        note(event, std::to_string(event.response->status));
        break;
      case EventKind::body:
        require(live.contains(id));
        body[id] += event.bytes;
        live[id] += event.bytes.size();
        require(live[id] <= 64 * 1024);
        if (id % 3 != 0) {
          session.consumed(id, event.bytes.size());
          live[id] -= event.bytes.size();
        }
        break;
      case EventKind::end:
        require(live.contains(id));
        if (event.trailers != nullptr) check_fields(*event.trailers);
        note(event, body[id]);
        break;
      case EventKind::closed:
      case EventKind::reset:
        note(event, std::string(name_of(event.verdict)));
        session.consumed(id, live[id]);
        live.erase(id);
        break;
    }
  }
  void respond(StreamId id, Body kind) {
    if constexpr (std::is_same_v<Session, ServerSession>) {
      if (id % 5 == 0) return session.reset(id, ErrorCode::cancel);
      char text[64];
      HeadWriter head(text);
      head.status_line(200);
      session.respond(id, head, kind);
    }
  }
  static void check_fields(const l7::http::Fields& fields) {
    for (const l7::http::Field& field : fields) {
      for (const char c : fields.name(field)) {
        require(c > ' ' && c != ':' && c < 0x7f && !(c >= 'A' && c <= 'Z'));
      }
      for (const char c : fields.value(field)) require(c != '\r' && c != '\n' && c != '\0');
    }
  }

  std::map<StreamId, std::string> body;
  std::size_t bodies_left_ = kBodiesMax;
};

template <typename Session>
std::vector<std::string> run(const std::string& input, std::size_t segment) {
  static std::vector<std::max_align_t> memory(kArena / sizeof(std::max_align_t));
  Codec codec(std::as_writable_bytes(std::span(memory)), Settings{}, Settings{});
  std::vector<std::string> log;
  {
    Owner<Session> owner(codec);
    for (std::size_t at = 0; at < input.size(); at += segment) {
      owner.take(std::string(input.substr(at, segment)));
    }
    log = owner.log;
    owner.flush();
    owner.end();
  }
  require(codec.arena().used_bytes() == 0);
  return log;
}

template <typename Session>
void try_both(const std::string& input, std::size_t segment) {
  require(run<Session>(input, input.size() + 1) == run<Session>(input, segment));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t segment = 1 + data[0] % 64U;
  const bool server = data[1] % 2 == 0;
  std::string input(reinterpret_cast<const char*>(data + 2), size - 2);
  // The preface is given, so that no effort is spent on finding it.
  if (server) {
    try_both<ServerSession>(preface() + raw_frame(4, 1, 0) + input, segment);
  } else {
    try_both<ClientSession>(raw_frame(4, 0, 0) + raw_frame(4, 1, 0) + input, segment);
  }
  return 0;
}
