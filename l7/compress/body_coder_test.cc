#include "l7/compress/body_coder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "l7/compress/test_codings.h"

namespace brink::l7::compress {
namespace {

constexpr PoolSizes kOneOfEach{1, 1, 1, 1, 1};
constexpr Coding kEncodings[] = {Coding::gzip, Coding::br, Coding::zstd};

Plan encode(Coding coding) {
  return {.encode = coding};
}
Plan decode(Coding coding) {
  return {.decode = coding};
}

std::vector<std::string> bodies() {
  return {"",
          "a",
          std::string(100'000, 'x'),
          text_body(47),
          text_body(1'000),
          text_body(100'000),
          noise_body(70'000),
          text_body(40'000) + noise_body(200'000) + text_body(300'000, 2)};
}

std::string coded_by(Coding coding, std::string_view body) {
  return coding == Coding::gzip ? gzip_whole(body) : br_whole(body);
}

class BodyCoderTest : public testing::Test {
 protected:
  void begin(const Plan& plan) { ASSERT_EQ(coder_.begin(pool_, plan), Begun::ok); }

  Pool pool_{kOneOfEach};
  BodyCoder coder_;
};

TEST_F(BodyCoderTest, WhatIsEncodedIsReadByTheLibraries) {
  for (const Coding coding : kEncodings) {
    for (const std::string& body : bodies()) {
      begin(encode(coding));
      const Ran whole = run(coder_, body);
      ASSERT_EQ(whole.state, StepState::done);
      EXPECT_EQ(decode_whole(coding, whole.output, body.size()), body) << name_of(coding);
      EXPECT_LE(whole.output.size(), body.size() + body.size() / 100 + 64) << name_of(coding);
    }
  }
}

TEST_F(BodyCoderTest, CutsOfInputAndRoomDoNotMatter) {
  for (const Coding coding : kEncodings) {
    for (const std::string& body : bodies()) {
      for (unsigned seed = 1; seed <= 6; ++seed) {
        begin(encode(coding));
        const std::size_t most = seed % 2 == 0 ? 300 : 20'000;
        const Ran cut = run(coder_, body, {most, most, seed, seed > 3});
        ASSERT_EQ(cut.state, StepState::done);
        ASSERT_EQ(decode_whole(coding, cut.output, body.size()), body)
            << name_of(coding) << " seed " << seed;
      }
    }
  }
}

TEST_F(BodyCoderTest, OneByteAtATimeInAndOut) {
  const std::string body = text_body(3'000);
  for (const Coding coding : kEncodings) {
    begin(encode(coding));
    const Ran dripped = run(coder_, body, {1, 1, 0, false});
    EXPECT_EQ(decode_whole(coding, dripped.output, body.size()), body) << name_of(coding);
  }
}

TEST_F(BodyCoderTest, AFlushMakesAllReadable) {
  for (const Coding coding : kEncodings) {
    for (const std::size_t room_size : {std::size_t{1}, std::size_t{7}, std::size_t{4'000}}) {
      begin(encode(coding));
      std::string sent;
      std::string coded;
      for (unsigned event = 0; event < 40; ++event) {
        const std::string part = text_body(event * event, event + 1);
        sent += part;
        std::size_t taken = 0;
        Step step{.state = StepState::needs_room};
        for (int turn = 0; step.state == StepState::needs_room; ++turn) {
          ASSERT_LT(turn, 10'000);
          std::vector<std::uint8_t> room(room_size);
          step = coder_.step({bytes_of(part) + taken, part.size() - taken}, room, Flow::flush);
          taken += step.consumed;
          coded.append(reinterpret_cast<const char*>(room.data()), step.produced);
        }
        ASSERT_EQ(step.state, StepState::needs_input);
        bool whole = true;
        ASSERT_EQ(decode_part(coding, coded, sent.size(), whole), sent) << name_of(coding);
        EXPECT_FALSE(whole);
      }
      // Nothing came since: nothing goes, however often it is asked.
      std::uint8_t room[100];
      const Step idle = coder_.step({}, room, Flow::flush);
      EXPECT_EQ(idle.produced, 0U) << name_of(coding);
      EXPECT_EQ(idle.state, StepState::needs_input);
      const Step last = coder_.step({}, room, Flow::finish);
      ASSERT_EQ(last.state, StepState::done);
      coded.append(reinterpret_cast<const char*>(room), last.produced);
      EXPECT_EQ(decode_whole(coding, coded, sent.size()), sent) << name_of(coding);
    }
  }
}

TEST_F(BodyCoderTest, WithoutAFlushBytesAreHeldBack) {
  const std::string part = text_body(200);
  std::uint8_t room[1'000];
  for (const Coding coding : kEncodings) {
    begin(encode(coding));
    const Step step = coder_.step({bytes_of(part), part.size()}, room, Flow::more);
    EXPECT_EQ(step.consumed, part.size());
    EXPECT_LT(step.produced, 50U) << name_of(coding);
    EXPECT_EQ(step.state, StepState::needs_input);
  }
}

TEST_F(BodyCoderTest, ABlockGoesOutWithoutAPause) {
  const std::string body = noise_body(kBlockBytes + 10'000);
  std::vector<std::uint8_t> room(200'000);
  for (const Coding coding : {Coding::br, Coding::zstd}) {
    begin(encode(coding));
    std::size_t taken = 0;
    std::size_t made = 0;
    for (Step step{.state = StepState::busy}; step.state == StepState::busy;) {
      step = coder_.step({bytes_of(body) + taken, body.size() - taken},
                         std::span(room).subspan(made), Flow::more);
      taken += step.consumed;
      made += step.produced;
    }
    EXPECT_EQ(taken, body.size());
    EXPECT_GE(made, kBlockBytes) << name_of(coding);
  }
}

TEST_F(BodyCoderTest, AStepTakesItsShareOfAnyInputAndRoom) {
  const std::string body = text_body(1'000'000);
  std::vector<std::uint8_t> room(1'000'000);
  const auto takes = [&](const Plan& plan, std::string_view input) {
    begin(plan);
    const Step step = coder_.step({bytes_of(input), input.size()}, room, Flow::finish);
    EXPECT_EQ(step.state, StepState::busy);
    EXPECT_LE(step.consumed, 16U * 1024);
    EXPECT_LE(step.produced, 16U * 1024);
  };
  for (const Coding coding : kEncodings) takes(encode(coding), body);
  takes(decode(Coding::gzip), gzip_whole(body));
  takes(decode(Coding::br), br_whole(body));
}

TEST_F(BodyCoderTest, WhatTheLibrariesEncodedIsDecoded) {
  for (const Coding coding : {Coding::gzip, Coding::br}) {
    for (const std::string& body : bodies()) {
      const std::string coded = coded_by(coding, body);
      for (unsigned seed = 0; seed <= 4; ++seed) {
        begin(decode(coding));
        const std::size_t most = seed % 2 == 0 ? 20'000 : 300;
        const Ran ran = run(coder_, coded, {most, most, seed, true});
        ASSERT_EQ(ran.state, StepState::done) << name_of(coding);
        ASSERT_EQ(ran.output, body) << name_of(coding) << " seed " << seed;
      }
    }
  }
}

TEST_F(BodyCoderTest, BrotliWindowsOfAllSizesAreDecoded) {
  const std::string body = text_body(3'000'000);
  for (int bits = BROTLI_MIN_WINDOW_BITS; bits <= BROTLI_MAX_WINDOW_BITS; bits += 2) {
    begin(decode(Coding::br));
    const Ran ran = run(coder_, br_whole(body, 3, bits), {20'000, 20'000, 0, false});
    ASSERT_EQ(ran.state, StepState::done) << bits;
    ASSERT_EQ(ran.output, body) << bits;
  }
}

TEST_F(BodyCoderTest, GzipMembersBehindEachOtherAreOneBody) {
  const std::string coded = gzip_whole("one ") + gzip_whole("") + gzip_whole("two");
  for (unsigned seed = 0; seed < 8; ++seed) {
    begin(decode(Coding::gzip));
    EXPECT_EQ(run(coder_, coded, {9, 3, seed, false}).output, "one two");
  }
}

TEST_F(BodyCoderTest, NoByteIsAnEmptyBody) {
  for (const Coding coding : {Coding::gzip, Coding::br}) {
    begin(decode(coding));
    EXPECT_EQ(run(coder_, "").state, StepState::done);
  }
}

TEST_F(BodyCoderTest, ACutShortBodyFailsAtItsEndAndNotBefore) {
  const std::string body = text_body(2'000);
  for (const Coding coding : {Coding::gzip, Coding::br}) {
    const std::string coded = coded_by(coding, body);
    for (std::size_t size = 1; size < coded.size(); ++size) {
      begin(decode(coding));
      const Ran ran = run(coder_, std::string_view(coded).substr(0, size));
      ASSERT_EQ(ran.state, StepState::failed) << name_of(coding) << size;
      ASSERT_EQ(ran.output, body.substr(0, ran.output.size()));
    }
  }
}

TEST_F(BodyCoderTest, DamageFailsForGood) {
  const std::string body = text_body(2'000);
  std::string coded = gzip_whole(body);
  coded[coded.size() - 6] ^= 1;  // the checksum
  begin(decode(Coding::gzip));
  EXPECT_EQ(run(coder_, coded).state, StepState::failed);
  std::uint8_t room[10];
  EXPECT_EQ(coder_.step({}, room, Flow::finish).state, StepState::failed);
  for (const Coding coding : {Coding::gzip, Coding::br}) {
    begin(decode(coding));
    EXPECT_EQ(run(coder_, coded_by(coding, body) + "x").state, StepState::failed)
        << name_of(coding) << ": bytes behind the end";
    begin(decode(coding));
    EXPECT_EQ(run(coder_, std::string(100, '\xff')).state, StepState::failed) << name_of(coding);
  }
  begin(decode(Coding::gzip));
  EXPECT_EQ(run(coder_, body).state, StepState::failed);
}

TEST_F(BodyCoderTest, ABombWritesNoMoreThanTheRoom) {
  const std::string zeros(50'000'000, '\0');
  for (const Coding coding : {Coding::gzip, Coding::br}) {
    const std::string bomb = coded_by(coding, zeros);
    begin(decode(coding));
    std::vector<std::uint8_t> room(1'000);
    std::size_t taken = 0;
    for (int i = 0; i < 100; ++i) {
      const Step step =
          coder_.step({bytes_of(bomb) + taken, bomb.size() - taken}, room, Flow::finish);
      ASSERT_EQ(step.produced, room.size());
      ASSERT_EQ(step.state, StepState::needs_room);
      taken += step.consumed;
    }
  }
}

TEST_F(BodyCoderTest, ABombThatIsEncodedAgainIsWorkedOffInParts) {
  const std::string zeros(5'000'000, '\0');
  const std::string bomb = gzip_whole(zeros);
  begin({.decode = Coding::gzip, .encode = Coding::br});
  std::vector<std::uint8_t> room(100'000);
  EXPECT_EQ(coder_.step({bytes_of(bomb), bomb.size()}, room, Flow::finish).state, StepState::busy);
}

TEST_F(BodyCoderTest, OneCodingIsTurnedIntoAnother) {
  for (const Coding from : {Coding::gzip, Coding::br}) {
    for (const Coding to : kEncodings) {
      for (const std::string& body : bodies()) {
        for (unsigned seed = 0; seed < 3; ++seed) {
          begin({.decode = from, .encode = to});
          const Ran ran = run(coder_, coded_by(from, body), {5'000, 5'000, seed, true});
          ASSERT_EQ(ran.state, StepState::done);
          ASSERT_EQ(decode_whole(to, ran.output, body.size()), body)
              << name_of(from) << " to " << name_of(to);
        }
      }
      begin({.decode = from, .encode = to});
      EXPECT_EQ(run(coder_, "no such coding").state, StepState::failed);
    }
  }
}

TEST_F(BodyCoderTest, AFlushReachesThroughBoth) {
  const std::string body = text_body(5'000);
  const std::string coded = gzip_whole(body);
  begin({.decode = Coding::gzip, .encode = Coding::br});
  std::vector<std::uint8_t> room(20'000);
  // All but the trailer: the body is there, and its end is not.
  const Step step = coder_.step({bytes_of(coded), coded.size() - 8}, room, Flow::flush);
  EXPECT_EQ(step.state, StepState::needs_input);
  const std::string_view out(reinterpret_cast<const char*>(room.data()), step.produced);
  bool whole = true;
  EXPECT_EQ(decode_part(Coding::br, out, body.size(), whole), body);
}

}  // namespace
}  // namespace brink::l7::compress
