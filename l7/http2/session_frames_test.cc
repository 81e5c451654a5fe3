// A server session against frames written by hand: RFC 9113 rule by rule.
#include <gtest/gtest.h>

#include "l7/http2/session_test_world.h"

namespace brink::l7::http2 {
namespace {

constexpr int kProtocolError = 1;
constexpr int kFlowControlError = 3;
constexpr int kStreamClosed = 5;
constexpr int kFrameSizeError = 6;
constexpr int kRefusedStream = 7;
constexpr int kCompressionError = 9;

const HeadFields kPost = {
    {":method", "POST"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}};

std::string post(StreamId stream, HeadFields more = {}) {
  HeadFields fields = kPost;
  fields.insert(fields.end(), more.begin(), more.end());
  return headers(stream, fields, kEndHead);
}

TEST(Frames, AnnouncesItselfWithSettingsAndAWindow) {
  CodecWorld world;
  ServerSession server;
  const base::Time now{std::chrono::seconds{1}};
  ASSERT_TRUE(server.open(world.codec, {}, now));
  std::string room(1024, '\0');
  room.resize(server.write(room, now));
  const auto frames = frames_of(room);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].type, 4U);
  std::vector<std::pair<unsigned, unsigned>> entries;
  for (std::size_t at = 0; at < frames[0].payload.size(); at += 6) {
    entries.emplace_back(number_at(frames[0].payload, at, 2),
                         number_at(frames[0].payload, at + 2, 4));
  }
  EXPECT_EQ(entries, (std::vector<std::pair<unsigned, unsigned>>{
                         {3, 128}, {8, 1}, {4, 65536}, {6, 32768}, {9, 1}}));
  EXPECT_EQ(frames[1].type, 8U);
  EXPECT_EQ(number_at(frames[1].payload, 0, 4), 512U * 1024 - 65535);
}

TEST(Frames, GivesARequestAndSendsItsResponse) {
  RawClient client;
  client.send(get(1));
  ASSERT_EQ(client.events.size(), 1U);
  EXPECT_EQ(client.events[0].kind, EventKind::request);
  EXPECT_EQ(client.events[0].host, "a.example");
  EXPECT_EQ(client.events[0].body, http::BodyKind::none);
  client.server.set_tag(1, 77);
  client.respond(1, 200, "hello");
  client.read();
  ASSERT_NE(client.find_frame(1, 1), nullptr);
  const SeenFrame* const data = client.find_frame(0, 1);
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->payload, "hello");
  EXPECT_EQ(data->flags, kEnd);
  const SeenEvent* const closed = client.find_event(EventKind::closed, 1);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(closed->tag, 77U);
  EXPECT_EQ(client.server.stream_count(), 0U);
}

TEST(Frames, CountsBodyBytesAgainstContentLength) {
  RawClient client;
  client.send(post(1, {{"content-length", "5"}}) + raw_frame(0, 0, 1, "abc") +
              raw_frame(0, kEnd, 1, "de"));
  EXPECT_NE(client.find_event(EventKind::end, 1), nullptr);
  client.send(post(3, {{"content-length", "5"}}) + raw_frame(0, kEnd, 3, "abc"));
  client.send(post(5, {{"content-length", "5"}}) + raw_frame(0, 0, 5, "abcdef"));
  client.read();
  for (const StreamId stream : {3, 5}) {
    const SeenEvent* const reset = client.find_event(EventKind::reset, stream);
    ASSERT_NE(reset, nullptr);
    EXPECT_EQ(name_of(reset->verdict), "length_mismatch");
    EXPECT_EQ(reset->cause, ResetCause::malformed);
    EXPECT_EQ(client.reset_code(stream), kProtocolError);
    EXPECT_EQ(client.find_event(EventKind::end, stream), nullptr);
  }
  EXPECT_EQ(client.goaway_code(), -1);
}

TEST(Frames, GivesTrailersWithTheEnd) {
  RawClient client;
  client.send(post(1) + raw_frame(0, 0, 1, "abc") +
              headers(1, {{"x-sum", "9"}, {"content-length", "3"}}, kEnd | kEndHead));
  const SeenEvent* const end = client.find_event(EventKind::end, 1);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(end->fields, (HeadFields{{"x-sum", "9"}, {"content-length", "3"}}));
}

TEST(Frames, RefusesTrailersThatAreNone) {
  RawClient client;
  client.send(post(1) + headers(1, {{"x", "y"}}, kEndHead));
  client.send(post(3) + headers(3, {{":path", "/"}}, kEnd | kEndHead));
  client.send(post(5) + headers(5, {{"connection", "close"}}, kEnd | kEndHead));
  EXPECT_EQ(name_of(client.find_event(EventKind::reset, 1)->verdict), "trailers_not_last");
  EXPECT_EQ(name_of(client.find_event(EventKind::reset, 3)->verdict), "pseudo_field_misplaced");
  EXPECT_EQ(name_of(client.find_event(EventKind::reset, 5)->verdict), "connection_field");
}

TEST(Frames, ResetsMalformedRequestsWithoutShowingThem) {
  RawClient client;
  client.send(headers(1, {{":method", "GET"}, {":path", "/"}}, kEnd | kEndHead));
  client.read();
  EXPECT_EQ(client.find_event(EventKind::request, 1), nullptr);
  EXPECT_EQ(name_of(client.find_event(EventKind::reset, 1)->verdict), "pseudo_field_missing");
  EXPECT_EQ(client.reset_code(1), kProtocolError);
  EXPECT_EQ(client.server.stream_count(), 0U);
}

TEST(Frames, LetsTheOwnerAnswerWhatIsWellFormedButRefused) {
  RawClient client;
  HeadFields fields = get_fields();
  fields.emplace_back("expect", "miracles");
  client.send(headers(1, fields, kEnd | kEndHead));
  fields.assign({{":method", "CONNECT"}, {":authority", "a.example:443"}});
  client.send(headers(3, fields, kEndHead) + raw_frame(0, 0, 3, "dropped"));
  EXPECT_EQ(http::status_of(client.find_event(EventKind::refused, 1)->verdict), 417);
  EXPECT_EQ(http::status_of(client.find_event(EventKind::refused, 3)->verdict), 501);
  EXPECT_EQ(client.find_event(EventKind::body, 3), nullptr);
  client.respond(1, 417);
  client.read();
  EXPECT_NE(client.find_frame(1, 1), nullptr);
  EXPECT_NE(client.find_event(EventKind::closed, 1), nullptr);
}

TEST(Frames, ReadsHeadsInPiecesBesideOtherSessions) {
  Settings settings;
  CodecWorld world(settings);
  const base::Time now{std::chrono::seconds{1}};
  ServerSession sessions[2];
  HeadFields fields[2];
  std::string bytes[2];
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(sessions[i].open(world.codec, {}, now));
    fields[i] = get_fields("/" + std::to_string(i));
    for (int f = 0; f < 20; ++f)
      fields[i].emplace_back("x-" + std::to_string(f), std::string(50, 'a'));
    const std::string block = hpack(fields[i]);
    bytes[i] = preface() + raw_frame(1, kEnd, 1, block.substr(0, 300)) +
               raw_frame(9, 0, 1, block.substr(300, 1)) +
               raw_frame(9, kEndHead, 1, block.substr(301));
  }
  // A byte of the one, a byte of the other.
  SeenEvent seen[2];
  for (std::size_t at = 0; at < bytes[0].size(); ++at) {
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(sessions[i].feed(std::string_view(bytes[i]).substr(at, 1), now), 1U);
      Event event;
      while (sessions[i].next_event(event)) seen[i] = copy_event(event);
    }
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(seen[i].kind, EventKind::request)
        << name_of(seen[i].verdict) << " " << name_of(sessions[i].end_reason());
    EXPECT_EQ(seen[i].target, "/" + std::to_string(i));
    EXPECT_EQ(seen[i].fields, HeadFields(fields[i].begin() + 4, fields[i].end()));
  }
}

TEST(Frames, ClosesTheWindowUntilBytesAreConsumed) {
  Settings settings;
  settings.stream_window = 65535;
  RawClient client(settings);
  client.send(post(1));
  const std::string piece(16384, 'b');
  for (int i = 0; i < 3; ++i) client.send(raw_frame(0, 0, 1, piece));
  client.read();
  EXPECT_EQ(client.find_frame(8, 1), nullptr);
  client.server.consumed(1, 3 * piece.size());
  client.read();
  const SeenFrame* const update = client.find_frame(8, 1);
  ASSERT_NE(update, nullptr);
  EXPECT_EQ(number_at(update->payload, 0, 4), 3 * piece.size());
  for (int i = 0; i < 3; ++i) client.send(raw_frame(0, 0, 1, piece));
  client.send(raw_frame(0, 0, 1, piece));  // over the window
  client.read();
  EXPECT_TRUE(client.reset_code(1) == kFlowControlError ||
              client.goaway_code() == kFlowControlError);
}

TEST(Frames, GivesTheConnectionWindowBackForStreamsThatAreGone) {
  Settings settings;
  settings.connection_window = 65535;
  RawClient client(settings);
  const std::string piece(16384, 'b');
  for (StreamId stream = 1; stream < 40; stream += 2) {
    client.send(post(stream) + raw_frame(0, 0, stream, piece));
    client.server.reset(stream, ErrorCode::cancel);
    client.read();
  }
  EXPECT_EQ(client.goaway_code(), -1);
  EXPECT_NE(client.find_frame(8, 0), nullptr);
}

TEST(Frames, KeepsTheWindowClosedForBytesOfAStreamThatEndedInOrder) {
  RawClient client;
  client.send(post(1) + raw_frame(0, kEnd, 1, std::string(10000, 'b')));
  client.respond(1, 200);
  client.read();
  ASSERT_NE(client.find_event(EventKind::closed, 1), nullptr);
  EXPECT_EQ(client.server.stream_count(), 1U);  // its bytes still lie with the owner
  client.server.consumed(1, 10000);
  EXPECT_EQ(client.server.stream_count(), 0U);
}

TEST(Frames, RefusesStreamsOverTheLimit) {
  Settings settings;
  settings.max_concurrent_streams = 2;
  CodecWorld world(settings);
  // Before the settings are acknowledged the client may not know: REFUSED_STREAM.
  ServerSession server;
  const base::Time now{std::chrono::seconds{1}};
  ASSERT_TRUE(server.open(world.codec, {}, now));
  std::string text = preface() + post(1) + post(3) + post(5);
  std::string_view rest = text;
  int requests = 0;
  while (!rest.empty()) {
    rest.remove_prefix(server.feed(rest, now));
    Event event;
    while (server.next_event(event)) requests += event.kind == EventKind::request ? 1 : 0;
  }
  std::string room(4096, '\0');
  room.resize(server.write(room, now));
  int refused = -1;
  for (const SeenFrame& frame : frames_of(room)) {
    if (frame.type == 3 && frame.stream == 5)
      refused = static_cast<int>(number_at(frame.payload, 0, 4));
  }
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(refused, kRefusedStream);
  // Afterwards it must: a connection error.
  RawClient client(settings);
  client.send(post(1) + post(3) + post(5));
  client.read();
  EXPECT_EQ(client.goaway_code(), kProtocolError);
  EXPECT_EQ(client.server.end_reason(), EndReason::protocol);
  for (const StreamId stream : {1, 3}) {
    const SeenEvent* const reset = client.find_event(EventKind::reset, stream);
    ASSERT_NE(reset, nullptr);
    EXPECT_EQ(reset->cause, ResetCause::connection);
  }
  EXPECT_TRUE(client.server.finished());
}

struct Fault {
  const char* what;
  std::string bytes;
  int code;
};

TEST(Frames, EndsTheConnectionOnFaultsOfTheConnection) {
  const std::string ping = std::string(8, 'p');
  const std::vector<Fault> faults = {
      {"DATA on stream 0", raw_frame(0, 0, 0, "x"), kProtocolError},
      {"DATA on an idle stream", raw_frame(0, 0, 1, "x"), kProtocolError},
      {"DATA padding over its length",
       post(1) + raw_frame(0, 8, 1,
                           "\x05"
                           "abc"),
       kProtocolError},
      {"HEADERS on stream 0", headers(0, get_fields(), kEnd | kEndHead), kProtocolError},
      {"HEADERS on an even stream", headers(2, get_fields(), kEnd | kEndHead), kProtocolError},
      {"HEADERS on a lower stream", get(5) + get(3), kProtocolError},
      {"HEADERS after END_STREAM", get(1) + get(1), kStreamClosed},
      {"DATA after END_STREAM", get(1) + raw_frame(0, 0, 1, "x"), kStreamClosed},
      {"DATA after the peer's reset",
       post(1) + raw_frame(3, 0, 1, number(8, 4)) + raw_frame(0, 0, 1, "x"), kStreamClosed},
      {"HEADERS after the peer's reset", post(1) + raw_frame(3, 0, 1, number(8, 4)) + get(1),
       kStreamClosed},
      {"broken HPACK", raw_frame(1, kEnd | kEndHead, 1, "\xff\xff\xff\xff\xff\xff"),
       kCompressionError},
      {"index beyond the tables", raw_frame(1, kEnd | kEndHead, 1, "\xc6"), kCompressionError},
      {"PRIORITY on stream 0", raw_frame(2, 0, 0, number(1, 5)), kProtocolError},
      {"PRIORITY of 4 bytes", raw_frame(2, 0, 1, number(1, 4)), kFrameSizeError},
      {"PRIORITY on itself", raw_frame(2, 0, 1, number(1, 4) + "w"), kProtocolError},
      {"HEADERS on itself", raw_frame(1, 0x20 | kEnd | kEndHead, 1, number(1, 4) + "w"),
       kProtocolError},
      {"RST_STREAM on stream 0", raw_frame(3, 0, 0, number(8, 4)), kProtocolError},
      {"RST_STREAM on an idle stream", raw_frame(3, 0, 1, number(8, 4)), kProtocolError},
      {"RST_STREAM of 3 bytes", get(1) + raw_frame(3, 0, 1, number(8, 3)), kFrameSizeError},
      {"SETTINGS on a stream", raw_frame(4, 0, 1), kProtocolError},
      {"SETTINGS of 5 bytes", raw_frame(4, 0, 0, number(1, 5)), kFrameSizeError},
      {"SETTINGS ack with a payload", raw_frame(4, 1, 0, number(1, 6)), kFrameSizeError},
      {"ENABLE_PUSH of 2", raw_frame(4, 0, 0, number(2, 2) + number(2, 4)), kProtocolError},
      {"window over 2^31-1", raw_frame(4, 0, 0, number(4, 2) + number(1U << 31, 4)),
       kFlowControlError},
      {"frame size of 16383", raw_frame(4, 0, 0, number(5, 2) + number(16383, 4)), kProtocolError},
      {"PUSH_PROMISE", raw_frame(5, kEndHead, 1, number(2, 4)), kProtocolError},
      {"PING on a stream", raw_frame(6, 0, 1, ping), kProtocolError},
      {"PING of 7 bytes", raw_frame(6, 0, 0, ping.substr(1)), kFrameSizeError},
      {"GOAWAY on a stream", raw_frame(7, 0, 1, number(0, 8)), kProtocolError},
      {"WINDOW_UPDATE of nothing", raw_frame(8, 0, 0, number(0, 4)), kProtocolError},
      {"WINDOW_UPDATE of 3 bytes", raw_frame(8, 0, 0, number(1, 3)), kFrameSizeError},
      {"WINDOW_UPDATE on an idle stream", raw_frame(8, 0, 1, number(1, 4)), kProtocolError},
      {"connection window over 2^31-1", raw_frame(8, 0, 0, number(0x7fffffff, 4)),
       kFlowControlError},
      {"CONTINUATION alone", raw_frame(9, kEndHead, 1, "x"), kProtocolError},
      {"DATA within a head", raw_frame(1, kEnd, 1, hpack(get_fields())) + raw_frame(0, 0, 1, "x"),
       kProtocolError},
      {"CONTINUATION of another stream",
       raw_frame(1, kEnd, 1, hpack(get_fields())) + raw_frame(9, kEndHead, 3), kProtocolError},
      {"a frame over 16 KiB", raw_frame(0, 0, 1, std::string(16385, 'x')), kFrameSizeError},
      {"PRIORITY_UPDATE on a stream", raw_frame(16, 0, 1, number(1, 4) + "u=1"), kProtocolError},
      {"PRIORITY_UPDATE of nothing", raw_frame(16, 0, 0, number(0, 4) + "u=1"), kProtocolError},
  };
  for (const Fault& fault : faults) {
    RawClient client;
    client.send(fault.bytes);
    client.read();
    EXPECT_EQ(client.goaway_code(), fault.code) << fault.what;
    EXPECT_EQ(name_of(client.server.end_reason()), "protocol") << fault.what;
    EXPECT_TRUE(client.server.finished()) << fault.what;
    EXPECT_EQ(client.server.stream_count(), 0U) << fault.what;
  }
}

TEST(Frames, ResetsTheStreamOnFaultsOfTheStream) {
  RawClient client;
  client.send(post(1) + raw_frame(8, 0, 1, number(0x7fffffff, 4)));
  client.read();
  EXPECT_EQ(client.reset_code(1), kFlowControlError);
  EXPECT_NE(client.find_event(EventKind::reset, 1), nullptr);
  EXPECT_EQ(client.goaway_code(), -1);
}

TEST(Frames, IgnoresWhatMustBeIgnored) {
  RawClient client;
  client.send(raw_frame(0x42, 0xff, 0, "grease") + raw_frame(0xf0, 0, 77, "more") +
              raw_frame(4, 0, 0, number(0x1a1a, 2) + number(9, 4)) +
              raw_frame(2, 0, 3, number(1, 4) + "w") + raw_frame(6, 0, 0, "pingpong") + get(5) +
              raw_frame(8, 0, 5, number(1000, 4)));
  client.read();
  EXPECT_EQ(client.goaway_code(), -1);
  EXPECT_NE(client.find_event(EventKind::request, 5), nullptr);
  const SeenFrame* const pong = client.find_frame(6, 0);
  ASSERT_NE(pong, nullptr);
  EXPECT_EQ(pong->payload, "pingpong");
  EXPECT_EQ(pong->flags, 1U);
}

TEST(Frames, TakesFramesThatWereOnTheirWayWhenItReset) {
  RawClient client;
  client.send(post(1));
  client.server.reset(1, ErrorCode::cancel);
  client.read();
  client.send(raw_frame(0, 0, 1, "late") + headers(1, {{"x", "y"}}, kEnd | kEndHead) + get(3));
  client.read();
  EXPECT_EQ(client.goaway_code(), -1);
  EXPECT_NE(client.find_event(EventKind::request, 3), nullptr);
}

TEST(Frames, SaysNothingToWhoDoesNotSpeakHttp2) {
  CodecWorld world;
  ServerSession server;
  const base::Time now{std::chrono::seconds{1}};
  ASSERT_TRUE(server.open(world.codec, {}, now));
  const std::string text = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
  EXPECT_EQ(server.feed(text, now), text.size());
  EXPECT_TRUE(server.finished());
  EXPECT_EQ(server.end_reason(), EndReason::protocol);
}

TEST(Frames, SendsHeadsAndBodiesThroughAnyRoom) {
  for (const std::size_t size : {256U, 300U, 1000U, 20000U}) {
    RawClient client;
    const std::string body(50000, 'z');
    client.send(get(1));
    client.respond(1, 200, body);
    std::string sent;
    std::string room(size, '\0');
    while (const std::size_t n = client.server.write(room, client.now)) sent.append(room, 0, n);
    std::string came;
    for (const SeenFrame& frame : frames_of(sent)) {
      if (frame.type == 0) came += frame.payload;
    }
    EXPECT_EQ(came, body) << size;
  }
}

TEST(Frames, DrainsInTwoSteps) {
  RawClient client;
  client.send(get(1));
  client.server.drain(client.now);
  client.read();
  ASSERT_EQ(client.frames.size(), 1U);
  EXPECT_EQ(client.frames[0].type, 7U);
  EXPECT_EQ(number_at(client.frames[0].payload, 0, 4), 0x7fffffffU);
  EXPECT_EQ(client.goaway_code(), 0);
  client.send(get(3));  // on its way: still served
  EXPECT_NE(client.find_event(EventKind::request, 3), nullptr);
  EXPECT_EQ(client.server.next_deadline(), client.now + std::chrono::seconds{1});
  client.now += std::chrono::seconds{1};
  client.server.advance(client.now);
  client.frames.clear();
  client.read();
  ASSERT_EQ(client.frames.size(), 1U);
  EXPECT_EQ(number_at(client.frames[0].payload, 0, 4), 3U);
  client.send(get(5));
  EXPECT_EQ(client.find_event(EventKind::request, 5), nullptr);
  client.respond(1, 200);
  client.respond(3, 200);
  client.read();
  EXPECT_TRUE(client.server.finished());
  EXPECT_EQ(client.server.end_reason(), EndReason::drained);
}

TEST(Frames, EndsAfterItsTimeouts) {
  {
    RawClient client;
    client.now += std::chrono::seconds{400};
    EXPECT_LE(client.server.next_deadline(), client.now);
    client.server.advance(client.now);
    client.read();
    EXPECT_EQ(client.server.end_reason(), EndReason::idle);
    EXPECT_EQ(client.goaway_code(), 0);
    EXPECT_TRUE(client.server.finished());
  }
  {
    CodecWorld world;
    ServerSession server;
    base::Time now{std::chrono::seconds{1}};
    ASSERT_TRUE(server.open(world.codec, {}, now));
    now += Settings{}.settings_timeout;
    server.advance(now);
    EXPECT_EQ(server.end_reason(), EndReason::settings_timeout);
  }
  {
    RawClient client;
    client.send(raw_frame(1, kEnd, 1, hpack(get_fields())));
    client.now += Settings{}.head_timeout;
    client.server.advance(client.now);
    client.read();
    EXPECT_EQ(client.server.end_reason(), EndReason::head_timeout);
    EXPECT_TRUE(client.server.finished());
  }
}

TEST(Frames, CancelsStreamsWhoseWindowStaysClosed) {
  RawClient client;
  client.send(raw_frame(4, 0, 0, number(4, 2) + number(0, 4)) + get(1));
  client.respond(1, 200, "nobody reads this");
  client.read();
  client.now += std::chrono::seconds{59};
  client.server.advance(client.now);
  client.read();
  EXPECT_EQ(client.find_event(EventKind::reset, 1), nullptr);
  client.now += std::chrono::seconds{2};
  client.server.advance(client.now);
  client.read();
  const SeenEvent* const reset = client.find_event(EventKind::reset, 1);
  ASSERT_NE(reset, nullptr);
  EXPECT_EQ(reset->cause, ResetCause::stalled);
  EXPECT_EQ(client.reset_code(1), 8);
}

TEST(Frames, GivesAllOfItsMemoryBack) {
  RawClient client;
  client.send(post(1) + raw_frame(0, 0, 1, "abc") + get(3));
  client.server.abandon();
  Event event;
  int resets = 0;
  while (client.server.next_event(event)) resets += event.kind == EventKind::reset ? 1 : 0;
  EXPECT_EQ(resets, 2);
  EXPECT_TRUE(client.server.finished());
  CodecWorld other;
  client.server.open(other.codec, {}, client.now);  // closes what was
  EXPECT_EQ(client.arena().used_bytes(), 0U);
  CodecWorld empty;
  client.server.open(empty.codec, {}, client.now);
  EXPECT_EQ(other.codec.arena().used_bytes(), 0U);
  client.server.abandon();
  client.server.~ServerSession();
  new (&client.server) ServerSession();
}

TEST(Frames, EndsAloneWhenItsMemoryIsUsedUp) {
  Settings settings;
  settings.memory_max = 48 * 1024;
  RawClient client(settings);
  for (StreamId stream = 1; stream < 250 && client.server.end_reason() == EndReason::none;
       stream += 2) {
    client.send(post(stream));
  }
  client.read();
  EXPECT_EQ(name_of(client.server.end_reason()), "memory");
  EXPECT_TRUE(client.server.finished());
  EXPECT_EQ(client.server.stream_count(), 0U);
}

}  // namespace
}  // namespace brink::l7::http2
