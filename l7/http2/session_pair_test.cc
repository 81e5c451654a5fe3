// A client session and a server session talk through a wire that cuts their bytes anywhere.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "l7/http2/session_test_world.h"

namespace brink::l7::http2 {
namespace {

// A body that an end sends: its bytes, and what may be sent of them so far.
struct Outgoing {
  std::string bytes;
  std::size_t sent = 0;
  std::size_t ready = 0;  // blocked behind this
  HeadFields trailers;
};

// Both ends over a wire of random segments.
class Wire {
 public:
  explicit Wire(unsigned seed, const Settings& server_settings = {},
                const Settings& client_settings = {})
      : world_(server_settings, client_settings), random_(seed) {
    server.open(world_.codec, {pull, &server_out}, now);
    client.open(world_.codec, {pull, &client_out}, now);
  }

  // Moves bytes and collects events until nothing moves.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      moved |= move(client, to_server_, server, server_events, consume_at_server);
      moved |= move(server, to_client_, client, client_events, consume_at_client);
    }
  }
  StreamId request(const HeadFields& more, http::Method method, const Outgoing* body) {
    char text[4096];
    HeadWriter head(text);
    head.request_line(method == http::Method::post ? "POST" : "GET", "/", "https", "a.example");
    for (const auto& [name, value] : more) head.field(name, value);
    head.end_head();
    const StreamId id =
        client.request(head, method, body != nullptr ? Body::source : Body::none, 1000);
    if (body != nullptr) client_out[id] = *body;
    return id;
  }
  bool respond(StreamId id, std::uint16_t status, const HeadFields& more, const Outgoing* body) {
    char text[4096];
    HeadWriter head(text);
    head.status_line(status);
    for (const auto& [name, value] : more) head.field(name, value);
    head.end_head();
    if (body != nullptr) server_out[id] = *body;
    if (status < 200) return server.interim(id, head);
    return server.respond(id, head, body != nullptr ? Body::source : Body::none);
  }
  static const SeenEvent* find(const std::vector<SeenEvent>& events, EventKind kind,
                               StreamId stream) {
    for (const SeenEvent& event : events) {
      if (event.kind == kind && event.stream == stream) return &event;
    }
    return nullptr;
  }
  static std::string body_of(const std::vector<SeenEvent>& events, StreamId stream) {
    std::string body;
    for (const SeenEvent& event : events) {
      if (event.kind == EventKind::body && event.stream == stream) body += event.bytes;
    }
    return body;
  }

 private:
  using Bodies = std::map<StreamId, Outgoing>;

  static BodyPart pull(void* owner, StreamId stream, std::uint64_t, std::span<char> room) noexcept {
    Outgoing& out = (*static_cast<Bodies*>(owner))[stream];
    const std::size_t n = std::min(room.size(), out.ready - out.sent);
    out.bytes.copy(room.data(), n, out.sent);
    out.sent += n;
    if (out.sent < out.bytes.size()) return {n, BodyState::blocked};
    if (out.trailers.empty()) return {n, BodyState::end};
    static char text[1024];
    static std::unique_ptr<HeadWriter> fields;
    fields = std::make_unique<HeadWriter>(text);
    for (const auto& [name, value] : out.trailers) fields->field(name, value);
    return {n, BodyState::trailers, fields.get()};
  }
  template <typename From, typename To>
  bool move(From& from, std::string& wire, To& to, std::vector<SeenEvent>& events, bool consume) {
    std::string room(256 + random_() % 5000, '\0');
    wire.append(room, 0, from.write(room, now));
    const std::size_t before = wire.size();
    std::string_view segment = wire;
    segment = segment.substr(0, random_() % (wire.size() + 1) + (random_() % 2));
    const std::string kept(segment);  // an exact copy, so that a read past its end is seen
    segment = kept;
    while (!segment.empty()) {
      const std::size_t n = to.feed(segment, now);
      segment.remove_prefix(n);
      wire.erase(0, n);
      take(to, events, consume);
    }
    take(from, static_cast<void*>(&from) == &client ? client_events : server_events,
         static_cast<void*>(&from) == &client ? consume_at_client : consume_at_server);
    return before != 0 || from.wants_write();
  }
  template <typename End>
  void take(End& end, std::vector<SeenEvent>& events, bool consume) {
    Event event;
    while (end.next_event(event)) {
      events.push_back(copy_event(event));
      if (consume) end.consumed(event.stream, event.bytes.size());
    }
  }

  CodecWorld world_;
  std::mt19937 random_;
  std::string to_server_;
  std::string to_client_;

 public:
  base::Time now{std::chrono::seconds{1000}};
  bool consume_at_server = true;
  bool consume_at_client = true;
  Bodies server_out;
  Bodies client_out;
  ServerSession server;
  ClientSession client;
  std::vector<SeenEvent> server_events;
  std::vector<SeenEvent> client_events;
};

Outgoing body_of(std::string bytes, HeadFields trailers = {}) {
  const std::size_t size = bytes.size();
  return {std::move(bytes), 0, size, std::move(trailers)};
}

std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(Pair, CarriesRequestsAndResponsesWhateverTheSegments) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Wire wire(seed);
    std::vector<StreamId> streams;
    std::vector<std::string> up, down;
    for (unsigned i = 0; i < 20; ++i) {
      up.push_back(random_text(i % 3 == 0 ? 0 : i * 7000, seed + i));
      down.push_back(random_text(i % 4 == 0 ? 0 : i * 9000, seed + i + 99));
      const Outgoing body = body_of(up.back());
      streams.push_back(wire.request({{"x-n", std::to_string(i)}}, http::Method::post, &body));
      ASSERT_NE(streams.back(), 0);
    }
    wire.run();
    for (unsigned i = 0; i < 20; ++i) {
      const Outgoing body = body_of(down[i]);
      ASSERT_TRUE(wire.respond(streams[i], 200, {{"X-Mixed", "Case"}}, &body));
    }
    wire.run();
    for (unsigned i = 0; i < 20; ++i) {
      const SeenEvent* const request =
          Wire::find(wire.server_events, EventKind::request, streams[i]);
      ASSERT_NE(request, nullptr);
      EXPECT_EQ(request->scheme, http::Scheme::https);
      EXPECT_EQ(request->fields, (HeadFields{{"x-n", std::to_string(i)}}));
      EXPECT_EQ(Wire::body_of(wire.server_events, streams[i]), up[i]);
      EXPECT_NE(Wire::find(wire.server_events, EventKind::end, streams[i]), nullptr);
      const SeenEvent* const response =
          Wire::find(wire.client_events, EventKind::response, streams[i]);
      ASSERT_NE(response, nullptr);
      EXPECT_EQ(response->status, 200);
      EXPECT_EQ(response->tag, 1000U);
      EXPECT_EQ(response->fields, (HeadFields{{"x-mixed", "Case"}}));
      EXPECT_EQ(Wire::body_of(wire.client_events, streams[i]), down[i]);
      EXPECT_NE(Wire::find(wire.client_events, EventKind::closed, streams[i]), nullptr);
      EXPECT_NE(Wire::find(wire.server_events, EventKind::closed, streams[i]), nullptr);
    }
    EXPECT_EQ(wire.server.stream_count() + wire.client.stream_count(), 0U);
    EXPECT_EQ(wire.server.glitches().value(), 0U);
  }
}

// Messages both ways, one at a time, on one stream, then trailers: what gRPC does.
TEST(Pair, StreamsMessagesBothWaysAndEndsWithTrailers) {
  Wire wire(1);
  Outgoing up{.bytes = "12345", .sent = 0, .ready = 0, .trailers = {{"x-up", "1"}}};
  const StreamId id = wire.request({{"te", "trailers"}, {"content-type", "application/grpc"}},
                                   http::Method::post, &up);
  wire.run();
  ASSERT_NE(Wire::find(wire.server_events, EventKind::request, id), nullptr);
  Outgoing down{.bytes = "abcde", .sent = 0, .ready = 0, .trailers = {{"grpc-status", "0"}}};
  ASSERT_TRUE(wire.respond(id, 200, {}, &down));
  for (std::size_t i = 1; i <= 5; ++i) {
    wire.client_out[id].ready = i;
    wire.client.resume(id);
    wire.run();
    EXPECT_EQ(Wire::body_of(wire.server_events, id).size(), i);
    EXPECT_EQ(Wire::find(wire.client_events, EventKind::end, id), nullptr);
    wire.server_out[id].ready = i;
    wire.server.resume(id);
    wire.run();
    EXPECT_EQ(Wire::body_of(wire.client_events, id).size(), i);
  }
  const SeenEvent* const up_end = Wire::find(wire.server_events, EventKind::end, id);
  const SeenEvent* const down_end = Wire::find(wire.client_events, EventKind::end, id);
  ASSERT_TRUE(up_end != nullptr && down_end != nullptr);
  EXPECT_EQ(up_end->fields, (HeadFields{{"x-up", "1"}}));
  EXPECT_EQ(down_end->fields, (HeadFields{{"grpc-status", "0"}}));
  EXPECT_EQ(wire.server.stream_count(), 0U);
}

TEST(Pair, SendsTrailersWithoutABody) {
  Wire wire(2);
  const StreamId id = wire.request({}, http::Method::get, nullptr);
  wire.run();
  const Outgoing down = body_of("", {{"grpc-status", "5"}});
  wire.respond(id, 200, {}, &down);
  wire.run();
  const SeenEvent* const end = Wire::find(wire.client_events, EventKind::end, id);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(end->fields, (HeadFields{{"grpc-status", "5"}}));
}

TEST(Pair, StopsAtTheWindowsOfWhoDoesNotConsume) {
  Settings client;
  client.stream_window = 65535;
  client.connection_window = 100000;
  Wire wire(3, {}, client);
  wire.consume_at_client = false;
  const StreamId a = wire.request({}, http::Method::get, nullptr);
  const StreamId b = wire.request({}, http::Method::get, nullptr);
  wire.run();
  const Outgoing body = body_of(std::string(1000000, 'x'));
  wire.respond(a, 200, {}, &body);
  wire.respond(b, 200, {}, &body);
  wire.run();
  const std::size_t of_a = Wire::body_of(wire.client_events, a).size();
  const std::size_t of_b = Wire::body_of(wire.client_events, b).size();
  EXPECT_EQ(of_a + of_b, 100000U);
  EXPECT_LE(std::max(of_a, of_b), 65535U);
  // One stream is given up: what the owner held of it comes back to the other.
  wire.client.reset(a, ErrorCode::cancel);
  wire.run();
  EXPECT_EQ(Wire::body_of(wire.client_events, b).size(), 65535U);
  wire.consume_at_client = true;
  wire.client.consumed(b, 65535);
  wire.run();
  EXPECT_EQ(Wire::body_of(wire.client_events, b).size(), 1000000U);
  EXPECT_NE(Wire::find(wire.client_events, EventKind::closed, b), nullptr);
}

TEST(Pair, PassesInterimResponses) {
  Wire wire(4);
  const StreamId id = wire.request({}, http::Method::get, nullptr);
  wire.run();
  EXPECT_TRUE(wire.respond(id, 103, {{"link", "</a.css>"}}, nullptr));
  wire.run();
  EXPECT_TRUE(wire.respond(id, 204, {}, nullptr));
  wire.run();
  std::vector<std::uint16_t> statuses;
  for (const SeenEvent& event : wire.client_events) {
    if (event.kind == EventKind::response) statuses.push_back(event.status);
  }
  EXPECT_EQ(statuses, (std::vector<std::uint16_t>{103, 204}));
}

TEST(Pair, TellsBothOwnersOfAReset) {
  Wire wire(5);
  const Outgoing endless{.bytes = "ab", .sent = 0, .ready = 1, .trailers = {}};
  const StreamId id = wire.request({}, http::Method::post, &endless);
  wire.run();
  wire.client.reset(id, ErrorCode::cancel);
  wire.run();
  const SeenEvent* at_client = Wire::find(wire.client_events, EventKind::reset, id);
  const SeenEvent* at_server = Wire::find(wire.server_events, EventKind::reset, id);
  ASSERT_TRUE(at_client != nullptr && at_server != nullptr);
  EXPECT_EQ(at_client->cause, ResetCause::own);
  EXPECT_EQ(at_server->cause, ResetCause::peer);
  EXPECT_EQ(at_server->code, ErrorCode::cancel);
  EXPECT_EQ(wire.server.stream_count() + wire.client.stream_count(), 0U);
}

TEST(Pair, SaysWhichRequestsMayBeSentAgain) {
  Wire wire(6);
  const StreamId refused = wire.request({}, http::Method::post, nullptr);
  const StreamId failed = wire.request({}, http::Method::post, nullptr);
  wire.run();
  wire.server.reset(refused, ErrorCode::refused_stream);
  wire.server.reset(failed, ErrorCode::internal_error);
  wire.run();
  EXPECT_TRUE(Wire::find(wire.client_events, EventKind::reset, refused)->retry);
  EXPECT_FALSE(Wire::find(wire.client_events, EventKind::reset, failed)->retry);
}

TEST(Pair, RetriesWhatAGoawayLeftOut) {
  Wire wire(7);
  const StreamId served = wire.request({}, http::Method::get, nullptr);
  wire.run();
  wire.server.drain(wire.now);
  wire.now += std::chrono::seconds{1};
  wire.server.advance(wire.now);
  const StreamId late = wire.request({}, http::Method::post, nullptr);  // crosses the GOAWAY
  ASSERT_NE(late, 0);
  wire.run();
  EXPECT_FALSE(wire.client.can_request());
  const SeenEvent* const reset = Wire::find(wire.client_events, EventKind::reset, late);
  ASSERT_NE(reset, nullptr);
  EXPECT_TRUE(reset->retry);
  wire.respond(served, 200, {}, nullptr);
  wire.run();
  EXPECT_NE(Wire::find(wire.client_events, EventKind::closed, served), nullptr);
  EXPECT_TRUE(wire.client.finished());
  EXPECT_TRUE(wire.server.finished());
  EXPECT_EQ(wire.client.end_reason(), EndReason::peer_goaway);
  EXPECT_EQ(wire.server.end_reason(), EndReason::drained);
}

TEST(Pair, KeepsToTheOriginsNumberOfStreams) {
  Settings server;
  server.max_concurrent_streams = 3;
  Wire wire(8, server);
  wire.run();
  for (int i = 0; i < 3; ++i) EXPECT_NE(wire.request({}, http::Method::get, nullptr), 0);
  EXPECT_FALSE(wire.client.can_request());
  EXPECT_EQ(wire.request({}, http::Method::get, nullptr), 0);
  wire.run();
  wire.respond(1, 200, {}, nullptr);
  wire.run();
  EXPECT_TRUE(wire.client.can_request());
}

TEST(Pair, CarriesAWebSocketByExtendedConnect) {
  Wire wire(9);
  char text[512];
  HeadWriter head(text);
  head.request_line("CONNECT", "/chat", "https", "a.example", "websocket");
  head.field("sec-websocket-version", "13");
  const StreamId id = wire.client.request(head, http::Method::connect, Body::source, 1);
  wire.client_out[id] = {.bytes = "hello", .sent = 0, .ready = 4, .trailers = {}};
  wire.run();
  const SeenEvent* const request = Wire::find(wire.server_events, EventKind::request, id);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->method, "CONNECT");
  EXPECT_EQ(request->protocol, "websocket");
  EXPECT_EQ(request->target, "/chat");
  const Outgoing down{.bytes = "world", .sent = 0, .ready = 4, .trailers = {}};
  wire.respond(id, 200, {}, &down);
  wire.run();
  EXPECT_EQ(Wire::body_of(wire.server_events, id), "hell");
  EXPECT_EQ(Wire::body_of(wire.client_events, id), "worl");
  EXPECT_EQ(Wire::find(wire.client_events, EventKind::end, id), nullptr);
}

TEST(Pair, ResetsAStreamWhoseSourceFails) {
  CodecWorld world;
  const base::Time now{std::chrono::seconds{1}};
  ServerSession server;
  const BodySource failing{[](void*, StreamId, std::uint64_t, std::span<char>) noexcept {
                             return BodyPart{0, BodyState::failed, nullptr};
                           },
                           nullptr};
  ASSERT_TRUE(server.open(world.codec, failing, now));
  const std::string text = preface() + get(1);
  std::string_view rest = text;
  Event event;
  while (!rest.empty()) {
    rest.remove_prefix(server.feed(rest, now));
    while (server.next_event(event)) {
    }
  }
  char buffer[64];
  HeadWriter head(buffer);
  head.status_line(200);
  ASSERT_TRUE(server.respond(1, head, Body::source));
  std::string room(4096, '\0');
  room.resize(server.write(room, now));
  ASSERT_TRUE(server.next_event(event));
  EXPECT_EQ(event.kind, EventKind::reset);
  EXPECT_EQ(event.cause, ResetCause::own);
  int code = -1;
  for (const SeenFrame& frame : frames_of(room)) {
    if (frame.type == 3) code = static_cast<int>(number_at(frame.payload, 0, 4));
  }
  EXPECT_EQ(code, 2);
}

// Bodies in the order in which they end, by urgency first.
std::vector<StreamId> order_of(const std::vector<std::pair<std::string, std::string>>& priorities) {
  Settings client;
  client.stream_window = 1 << 20;
  client.connection_window = 1 << 24;
  Wire wire(10, {}, client);
  wire.run();
  std::vector<StreamId> ids;
  for (const auto& priority : priorities) {
    ids.push_back(wire.request({priority}, http::Method::get, nullptr));
  }
  wire.run();
  const Outgoing body = body_of(std::string(100000, 'x'));
  for (const StreamId id : ids) wire.respond(id, 200, {}, &body);
  wire.run();
  std::vector<StreamId> order;
  for (const SeenEvent& event : wire.client_events) {
    if (event.kind == EventKind::end) order.push_back(event.stream);
  }
  return order;
}

TEST(Pair, SendsUrgentBodiesFirst) {
  EXPECT_EQ(
      order_of(
          {{"priority", "u=6"}, {"priority", "u=1"}, {"x", "default"}, {"priority", "u=0, i"}}),
      (std::vector<StreamId>{7, 3, 5, 1}));
}

TEST(Pair, SharesTheConnectionAmongIncrementalBodiesAlone) {
  Settings client;
  client.stream_window = 1 << 20;
  client.connection_window = 1 << 24;
  for (const bool incremental : {false, true}) {
    Wire wire(11, {}, client);
    wire.run();
    const HeadFields fields = {{"priority", incremental ? "u=2, i" : "u=2"}};
    const StreamId a = wire.request(fields, http::Method::get, nullptr);
    const StreamId b = wire.request(fields, http::Method::get, nullptr);
    wire.run();
    const Outgoing body = body_of(std::string(100000, 'x'));
    wire.respond(a, 200, {}, &body);
    wire.respond(b, 200, {}, &body);
    wire.run();
    std::size_t turns = 0;
    StreamId last = 0;
    for (const SeenEvent& event : wire.client_events) {
      if (event.kind != EventKind::body) continue;
      if (event.stream != last) ++turns;
      last = event.stream;
    }
    if (incremental) {
      EXPECT_GT(turns, 6U);
    } else {
      EXPECT_EQ(turns, 2U);
    }
  }
}

TEST(Pair, PriorityUpdatesMoveAStreamForward) {
  RawClient client;
  client.send(raw_frame(4, 0, 0, number(4, 2) + number(0, 4)));  // nothing is sent yet
  client.send(get(1) + get(3) + raw_frame(16, 0, 0, number(3, 4) + "u=0"));
  client.respond(1, 200, "a");
  client.respond(3, 200, "b");
  client.body = "aabb";
  client.send(raw_frame(4, 0, 0, number(4, 2) + number(100, 4)));
  client.read();
  StreamId first = 0;
  for (const SeenFrame& frame : client.frames) {
    if (frame.type == 0 && first == 0) first = frame.stream;
  }
  EXPECT_EQ(first, 3);
}

TEST(Pair, TellsEveryRequestThatTheConnectionIsGone) {
  Wire wire(12);
  const StreamId a = wire.request({}, http::Method::get, nullptr);
  wire.run();
  wire.client.abandon();
  wire.server.abandon();
  wire.run();
  EXPECT_EQ(Wire::find(wire.client_events, EventKind::reset, a)->cause, ResetCause::connection);
  EXPECT_EQ(Wire::find(wire.server_events, EventKind::reset, a)->cause, ResetCause::connection);
  EXPECT_TRUE(wire.client.finished());
  EXPECT_EQ(wire.client.end_reason(), EndReason::peer_closed);
}

// ---- an origin that breaks the rules ----

struct RawOrigin {
  RawOrigin() {
    client.open(world.codec, {}, now);
    send(raw_frame(4, 0, 0) + raw_frame(4, 1, 0));
    char text[256];
    HeadWriter head(text);
    head.request_line("GET", "/", "https", "a.example");
    stream = client.request(head, http::Method::get, Body::none, 9);
    read();
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(client.feed(text, now));
      Event event;
      while (client.next_event(event)) events.push_back(copy_event(event));
    }
  }
  void read() {
    std::string room(4096, '\0');
    while (const std::size_t n = client.write(room, now)) sent.append(room, 0, n);
    Event event;
    while (client.next_event(event)) events.push_back(copy_event(event));
  }
  CodecWorld world;
  base::Time now{std::chrono::seconds{1}};
  ClientSession client;
  StreamId stream = 0;
  std::vector<SeenEvent> events;
  std::string sent;
};

TEST(Origin, MayNotSendWhatIsNoResponse) {
  const HeadFields ok = {{":status", "200"}};
  const std::string long_head = [&] {
    std::string text;
    for (int i = 0; i < 17; ++i) text += headers(1, {{":status", "103"}}, kEndHead);
    return text;
  }();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {headers(1, {{"x", "y"}}, kEndHead), "pseudo_field_missing"},
      {headers(1, {{":status", "101"}}, kEndHead), "status_invalid"},
      {headers(1, {{":status", "200"}, {"transfer-encoding", "chunked"}}, kEndHead),
       "connection_field"},
      {headers(1, {{":status", "200"}, {"x", "a\r\nb: c"}}, kEndHead), "bad_field_value"},
      {headers(1, {{":status", "204"}}, kEndHead) + raw_frame(0, kEnd, 1, "x"), "body_unexpected"},
      {headers(1, {{":status", "200"}, {"content-length", "2"}}, kEndHead) +
           raw_frame(0, kEnd, 1, "x"),
       "length_mismatch"},
      {headers(1, {{":status", "200"}, {"content-length", "2"}}, kEndHead) +
           headers(1, {{"x", "y"}}, kEnd | kEndHead),
       "length_mismatch"},
      {headers(1, ok, kEndHead) + headers(1, {{"x", "y"}}, kEndHead), "trailers_not_last"},
      {headers(1, {{":status", "103"}}, kEndHead) + raw_frame(0, kEnd, 1, "x"), "body_unexpected"},
      {long_head, "too_many_interim"},
  };
  for (const auto& [bytes, verdict] : cases) {
    RawOrigin origin;
    ASSERT_EQ(origin.stream, 1);
    origin.send(bytes);
    origin.read();
    const SeenEvent* const reset = Wire::find(origin.events, EventKind::reset, 1);
    ASSERT_NE(reset, nullptr) << verdict;
    EXPECT_EQ(name_of(reset->verdict), verdict);
    EXPECT_EQ(reset->tag, 9U);
    EXPECT_FALSE(reset->retry);
    EXPECT_EQ(Wire::find(origin.events, EventKind::end, 1), nullptr) << verdict;
    EXPECT_EQ(origin.client.end_reason(), EndReason::none) << verdict;
  }
}

TEST(Origin, MayNotPush) {
  RawOrigin origin;
  origin.send(raw_frame(5, kEndHead, 1, number(2, 4) + hpack(get_fields())));
  origin.read();
  EXPECT_EQ(origin.client.end_reason(), EndReason::protocol);
  EXPECT_NE(Wire::find(origin.events, EventKind::reset, 1), nullptr);
  EXPECT_TRUE(origin.client.finished());
}

TEST(Origin, MayEndTheRequestsBodyEarlyAfterAWholeResponse) {
  RawOrigin origin;
  origin.send(headers(1, {{":status", "200"}}, kEnd | kEndHead) + raw_frame(3, 0, 1, number(0, 4)));
  EXPECT_NE(Wire::find(origin.events, EventKind::response, 1), nullptr);
  EXPECT_NE(Wire::find(origin.events, EventKind::closed, 1), nullptr);
  EXPECT_EQ(origin.client.end_reason(), EndReason::none);
}

TEST(Origin, TellsHowLongAnEmptyBodyIs) {
  RawOrigin origin;
  origin.send(headers(1, {{":status", "200"}}, kEnd | kEndHead));
  const SeenEvent* const response = Wire::find(origin.events, EventKind::response, 1);
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(response->body, http::BodyKind::none);
}

}  // namespace
}  // namespace brink::l7::http2
