// A world of HTTP/2: clients are sessions of l7/http2 over TLS, and origins are where a test asks
// for it. What the edge is tested against here is our own protocol code; integration tests have
// others'.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "l7/http2/session.h"
#include "l7/proxy/stage_tls_test_world.h"

namespace brink::l7::proxy::testing {

inline constexpr tls::Alpn kHttp2[] = {tls::Alpn::kH2};

// One end of a connection over HTTP/2.
template <typename Session>
class SessionEnd {
 public:
  // A message that comes, and the body that goes.
  struct Stream {
    std::string target;  // of a request
    int status = 0;      // of a response
    std::string body;
    bool ended = false;
    bool reset = false;
    http2::ErrorCode code = http2::ErrorCode::no_error;
    std::string to_send;
    bool open = false;  // more of it may come
    std::vector<std::pair<std::string, std::string>> trailers;  // to send, or that came
  };

  SessionEnd(Peer& given, http2::Codec& codec, base::Time now) : peer(given) {
    EXPECT_TRUE(session.open(codec, {pull, this}, now));
  }

  void work(base::Time now) {
    std::string in;
    in.swap(peer.received);
    for (std::string_view rest = in; !rest.empty();) {
      rest.remove_prefix(session.feed(rest, now));
      http2::Event event;
      while (session.next_event(event)) note(event);
    }
    session.advance(now);
    char room[4096];
    while (peer.to_send.size() < 64 * 1024) {
      const std::size_t size = session.write(room, now);
      if (size == 0) break;
      peer.to_send.append(room, size);
    }
  }

  // ---- a client's ----
  http2::StreamId request(const std::string& method, const std::string& target,
                          bool has_body = false) {
    char text[1024];
    http2::HeadWriter head(text);
    head.request_line(method, target, "https", "one.example.com");
    const http2::StreamId id = session.request(
        head, http::method_of(method), has_body ? http2::Body::source : http2::Body::none, ++tag_);
    EXPECT_NE(id, 0);
    streams[id].open = has_body;
    return id;
  }

  // ---- a server's ----
  http2::StreamId asked_for(const std::string& target) const {
    for (const auto& [id, stream] : streams) {
      if (stream.target == target) return id;
    }
    return 0;
  }
  void respond(http2::StreamId id) {
    char text[64];
    http2::HeadWriter head(text);
    head.status_line(200);
    streams[id].open = true;
    EXPECT_TRUE(session.respond(id, head, http2::Body::source));
  }

  // ---- both ----
  void send(http2::StreamId id, const std::string& bytes, bool end = false) {
    streams[id].to_send += bytes;
    streams[id].open = !end;
    session.resume(id);
  }
  // What was kept back is given to the windows.
  void read_on() {
    reading = true;
    for (auto& [id, size] : kept_) session.consumed(id, size);
    kept_.clear();
  }

  Peer& peer;
  Session session;
  std::map<http2::StreamId, Stream> streams;
  bool reading = true;  // false: windows stay as they are

 private:
  static http2::BodyPart pull(void* owner, http2::StreamId id, std::uint64_t,
                              std::span<char> room) noexcept {
    Stream& stream = static_cast<SessionEnd*>(owner)->streams[id];
    const std::size_t size = std::min(room.size(), stream.to_send.size());
    std::copy_n(stream.to_send.begin(), size, room.begin());
    stream.to_send.erase(0, size);
    if (!stream.to_send.empty()) return {size, http2::BodyState::more};
    if (stream.open) return {size, http2::BodyState::blocked};
    if (stream.trailers.empty()) return {size, http2::BodyState::end};
    auto& writer = static_cast<SessionEnd*>(owner)->trailers_.emplace(
        static_cast<SessionEnd*>(owner)->trailers_text_);
    for (const auto& [name, value] : stream.trailers) writer.field(name, value);
    stream.trailers.clear();
    return {size, http2::BodyState::trailers, &writer};
  }

  void note(const http2::Event& event) {
    Stream& stream = streams[event.stream];
    switch (event.kind) {
      case http2::EventKind::request:
        stream.target = event.request->fields.text(event.request->target);
        return;
      case http2::EventKind::response:
        stream.status = event.response->status;
        return;
      case http2::EventKind::body:
        stream.body += event.bytes;
        if (reading) {
          session.consumed(event.stream, event.bytes.size());
        } else {
          kept_[event.stream] += event.bytes.size();
        }
        return;
      case http2::EventKind::end:
        stream.ended = true;
        if (event.trailers == nullptr) return;
        for (const http::Field& field : *event.trailers) {
          stream.trailers.emplace_back(event.trailers->name(field), event.trailers->value(field));
        }
        return;
      case http2::EventKind::reset:
        stream.reset = true;
        stream.code = event.code;
        return;
      case http2::EventKind::none:
      case http2::EventKind::refused:
      case http2::EventKind::closed:
        return;
    }
  }

  std::uint64_t tag_ = 0;
  std::array<char, 4096> trailers_text_{};
  std::optional<http2::HeadWriter> trailers_;
  std::map<http2::StreamId, std::size_t> kept_;
};

using SessionClient = SessionEnd<http2::ClientSession>;
using SessionOrigin = SessionEnd<http2::ServerSession>;

// The edge offers HTTP/2 to clients and takes it from origins; these speak HTTP/1.1 until
// use_http2_origins().
class SessionFixture : public SecureFixture {
 protected:
  SessionFixture() {
    stage_.reset();  // before what it uses
    transport_.reset();
    credentials_ = std::make_unique<credentials::Credentials>(*edge_engine_, *keys_, counters_,
                                                              credentials::Service::kHttp2);
    protocols_ = kHttp2;
    StageConfig config;
    config.http2 = &edge_codec_;
    rebuild_secure(config);
    on_turn_ = [this] {
      for (auto& client : clients_) client.work(now_);
      for (auto& origin : session_origins_) origin.work(now_);
    };
  }
  ~SessionFixture() override {
    clients_.clear();
    session_origins_.clear();
    stage_.reset();
  }

  void use_http2_origins() { origins_.fallback->protocols = kHttp2; }

  SessionClient& connect_session() {
    return clients_.emplace_back(connect_tls(), peer_codec_, now_);
  }
  // The n-th connection that the origin side accepted, once it is secured.
  SessionOrigin& session_origin(std::size_t n) {
    Peer& peer = origin(n);
    EXPECT_TRUE(settle_until([&] { return peer.connected; }));
    return session_origins_.emplace_back(peer, peer_codec_, now_);
  }
  // The request for `target` is whole at the origin; its stream.
  http2::StreamId await_request(SessionOrigin& origin, const std::string& target) {
    EXPECT_TRUE(settle_until([&] { return origin.asked_for(target) != 0; }, 3000)) << target;
    return origin.asked_for(target);
  }
  bool ends(SessionClient& client, http2::StreamId id) {
    return settle_until([&] { return client.streams[id].ended || client.streams[id].reset; }, 5000);
  }

 private:
  Memory edge_arena_{8 * 1024 * 1024};
  Memory peer_arena_{8 * 1024 * 1024};

 protected:
  http2::Codec edge_codec_{edge_arena_.span(), http2::Settings{}, http2::Settings{}};
  http2::Codec peer_codec_{peer_arena_.span(), http2::Settings{}, http2::Settings{}};
  std::list<SessionClient> clients_;
  std::list<SessionOrigin> session_origins_;
};

}  // namespace brink::l7::proxy::testing
