// What costs us more than the peer: each kind has a price, and who spends too much is sent away.
#include "l7/http2/glitch.h"

#include <gtest/gtest.h>

#include <functional>

#include "l7/http2/session_test_world.h"

namespace brink::l7::http2 {
namespace {

constexpr int kEnhanceYourCalm = 11;

TEST(GlitchScore, LeaksWithTime) {
  GlitchLimits limits;
  limits.limit = 100;
  limits.recovery_per_second = 10;
  limits.weights[static_cast<std::size_t>(Glitch::ping)] = 30;
  GlitchScore score;
  base::Time now{std::chrono::seconds{50}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(score.add(Glitch::ping, limits, now));
  EXPECT_FALSE(score.add(Glitch::ping, limits, now));
  EXPECT_EQ(score.value(), 120U);
  now += std::chrono::seconds{5};
  EXPECT_TRUE(score.add(Glitch::ping, limits, now));
  EXPECT_EQ(score.value(), 100U);
  now += std::chrono::seconds{1000};
  EXPECT_TRUE(score.add(Glitch::ping, limits, now));
  EXPECT_EQ(score.value(), 30U);
}

TEST(GlitchScore, LosesNoPartOfAPointBetweenGlitches) {
  GlitchLimits limits;
  limits.limit = 1000;
  limits.recovery_per_second = 10;
  limits.weights[static_cast<std::size_t>(Glitch::ping)] = 2;
  GlitchScore score;
  base::Time now{std::chrono::seconds{50}};
  for (int i = 0; i < 100; ++i) {
    score.add(Glitch::ping, limits, now);
    now += std::chrono::milliseconds{150};  // one point and a half
  }
  EXPECT_LE(score.value(), 200U - 147U);
}

struct Flood {
  Glitch glitch;
  std::function<std::string(int)> attack;  // what is sent the n-th time, n from 0
};

StreamId stream_of(int n) {
  return 2 * n + 1;
}

const HeadFields kPost = {
    {":method", "POST"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}};

TEST(Glitches, EndConnectionsThatAddUpToTheLimit) {
  const std::vector<Flood> floods = {
      {Glitch::cancelled_request,
       [](int n) { return get(stream_of(n)) + raw_frame(3, 0, stream_of(n), number(8, 4)); }},
      // The peer makes us reset: a window that overflows.
      {Glitch::provoked_reset,
       [](int n) {
         return headers(stream_of(n), kPost, kEndHead) +
                raw_frame(8, 0, stream_of(n), number(0x7fffffff, 4));
       }},
      {Glitch::malformed_message,
       [](int n) {
         return headers(stream_of(n), {{":path", "/"}}, kEnd | kEndHead);
       }},
      {Glitch::oversized_head,
       [](int n) {
         HeadFields fields = get_fields();
         for (int i = 0; i < 130; ++i) fields.emplace_back("a", "b");
         return headers(stream_of(n), fields, kEnd | kEndHead);
       }},
      {Glitch::continuation,
       [](int n) {
         return raw_frame(1, kEnd, stream_of(n), hpack(get_fields())) +
                raw_frame(9, 0, stream_of(n), hpack({{"x", "y"}})) +
                raw_frame(9, kEndHead, stream_of(n), hpack({{"x", "y"}}));
       }},
      {Glitch::empty_data,
       [](int n) {
         return (n == 0 ? headers(1, kPost, kEndHead) : std::string()) + raw_frame(0, 0, 1);
       }},
      {Glitch::empty_headers,
       [](int n) {
         return raw_frame(1, kEnd, stream_of(n)) +
                raw_frame(9, kEndHead, stream_of(n), hpack(get_fields()));
       }},
      {Glitch::settings, [](int) { return raw_frame(4, 0, 0); }},
      {Glitch::ping, [](int) { return raw_frame(6, 0, 0, "12345678"); }},
      {Glitch::priority, [](int) { return raw_frame(2, 0, 1, number(3, 4) + "w"); }},
      {Glitch::priority, [](int) { return raw_frame(16, 0, 0, number(1, 4) + "u=1"); }},
      {Glitch::small_window, [](int) { return raw_frame(8, 0, 0, number(1, 4)); }},
      {Glitch::unknown_frame, [](int) { return raw_frame(0x77, 0, 0, "?"); }},
  };
  for (const Flood& flood : floods) {
    Settings settings;
    settings.glitches.limit = 300;
    settings.glitches.recovery_per_second = 0;
    const int weight = settings.glitches.weights[static_cast<std::size_t>(flood.glitch)];
    RawClient client(settings);
    int n = 0;
    while (client.server.end_reason() == EndReason::none && n < 1000) {
      client.send(flood.attack(n++));
      client.read();  // the acknowledgements leave, too
    }
    EXPECT_EQ(name_of(client.server.end_reason()), "glitches") << name_of(flood.glitch);
    EXPECT_EQ(client.goaway_code(), kEnhanceYourCalm) << name_of(flood.glitch);
    EXPECT_LE(n, 300 / weight + 1) << name_of(flood.glitch);
    EXPECT_GE(n, 2) << name_of(flood.glitch);
    EXPECT_TRUE(client.server.finished()) << name_of(flood.glitch);
    EXPECT_EQ(client.server.stream_count(), 0U) << name_of(flood.glitch);
  }
}

TEST(Glitches, EndConnectionsThatOpenMoreStreamsThanAllowed) {
  // Known only before the acknowledgement; later it is a fault. Both are refusals.
  Settings settings;
  settings.max_concurrent_streams = 1;
  settings.glitches.limit = 100;
  CodecWorld world(settings);
  ServerSession server;
  const base::Time now{std::chrono::seconds{1}};
  ASSERT_TRUE(server.open(world.codec, {}, now));
  std::string text = preface();
  for (int n = 0; n < 30; ++n) text += get(stream_of(n));
  std::string_view rest = text;
  while (!rest.empty()) {
    rest.remove_prefix(server.feed(rest, now));
    Event event;
    while (server.next_event(event)) {
    }
  }
  EXPECT_EQ(name_of(server.end_reason()), "glitches");
  EXPECT_EQ(name_of(server.glitches().last()), "refused_stream");
}

TEST(Glitches, TellTheOwnerToCancelAtOnce) {
  RawClient client;
  client.send(get(1));
  client.server.set_tag(1, 5);
  client.send(raw_frame(3, 0, 1, number(8, 4)));
  const SeenEvent* const reset = client.find_event(EventKind::reset, 1);
  ASSERT_NE(reset, nullptr);
  EXPECT_EQ(reset->tag, 5U);
  EXPECT_EQ(client.server.stream_count(), 0U);
  // What we provoke ourselves is told before RST_STREAM is even written.
  client.send(get(3) + raw_frame(8, 0, 3, number(0x7fffffff, 4)));
  EXPECT_NE(client.find_event(EventKind::reset, 3), nullptr);
  EXPECT_EQ(client.server.stream_count(), 0U);
}

TEST(Glitches, AnUnreadConnectionKeepsFewAcknowledgements) {
  Settings settings;
  settings.glitches.limit = 1000000;
  RawClient client(settings);
  std::size_t memory = 0;
  int n = 0;
  for (; client.server.end_reason() == EndReason::none && n < 100000; ++n) {
    client.send(raw_frame(6, 0, 0, "12345678"));
    memory = std::max(memory, client.server.memory_bytes());
  }
  EXPECT_EQ(name_of(client.server.end_reason()), "glitches");
  EXPECT_LE(n, 70);
  EXPECT_LE(memory, 64U * 1024);
  client.read();
  EXPECT_EQ(client.goaway_code(), kEnhanceYourCalm);
}

TEST(Glitches, AHeadThatGrowsWithoutEndIsABomb) {
  Settings settings;
  settings.glitches.limit = 1000000;
  RawClient client(settings);
  // One field of 4,000 octets enters the table, then it is named by one octet over and over.
  std::string block = hpack(get_fields());
  block += "\x40" + hpack_text("a") + hpack_text(std::string(4000, 'b'));
  block += std::string(10000, '\xbe');
  client.send(raw_frame(1, kEnd | kEndHead, 1, block));
  client.read();
  EXPECT_EQ(name_of(client.server.end_reason()), "head_bomb");
  EXPECT_EQ(client.goaway_code(), kEnhanceYourCalm);
  EXPECT_EQ(client.find_event(EventKind::request, 1), nullptr);
}

TEST(Glitches, AHeadOfManyContinuationsEnds) {
  Settings settings;
  settings.glitches.limit = 1000000;
  RawClient client(settings);
  client.send(raw_frame(1, kEnd, 1, hpack(get_fields())));
  int n = 0;
  for (; client.server.end_reason() == EndReason::none && n < 1000; ++n) {
    client.send(raw_frame(9, 0, 1, hpack({{"x", "y"}})));
  }
  EXPECT_EQ(name_of(client.server.end_reason()), "glitches");
  EXPECT_LE(n, 10);
}

TEST(Glitches, NormalClientsAreFarFromTheLimit) {
  RawClient client;
  for (int n = 0; n < 200; ++n) {
    client.send(get(stream_of(n)) + raw_frame(6, 0, 0, "bandwith"));
    client.respond(stream_of(n), 200, "body");
    client.read();
    client.now += std::chrono::milliseconds{100};
  }
  EXPECT_EQ(client.server.end_reason(), EndReason::none);
  EXPECT_LE(client.server.glitches().value(), 20U);
}

}  // namespace
}  // namespace brink::l7::http2
