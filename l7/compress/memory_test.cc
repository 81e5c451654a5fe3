// What the pool lends and takes back, and that nothing of it comes from the heap.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "l7/compress/body_coder.h"
#include "l7/compress/test_codings.h"
#include "perf/support/allocation_count.h"

namespace brink::l7::compress {
namespace {

TEST(Pool, SaysWhenNoneIsFreeAndLendsAgain) {
  Pool pool({.gzip_encoders = 2});
  BodyCoder coders[3];
  const Plan plan{.encode = Coding::gzip};
  EXPECT_EQ(coders[0].begin(pool, plan), Begun::ok);
  EXPECT_EQ(coders[1].begin(pool, plan), Begun::ok);
  EXPECT_EQ(coders[2].begin(pool, plan), Begun::no_encoder);
  EXPECT_FALSE(coders[2].active());
  coders[0].end();
  coders[0].end();
  EXPECT_EQ(coders[2].begin(pool, plan), Begun::ok);
  EXPECT_EQ(coders[2].begin(pool, plan), Begun::ok);  // its own goes back first
  EXPECT_EQ(pool.gzip_encoders.free(), 0U);
  EXPECT_EQ(coders[0].begin(pool, {.encode = Coding::br}), Begun::no_encoder);
}

TEST(Pool, NothingIsTakenByWhatCannotBegin) {
  Pool pool({.gzip_encoders = 1, .gzip_decoders = 1});
  BodyCoder coder;
  EXPECT_FALSE(pool.can_decode());
  EXPECT_EQ(coder.begin(pool, {.decode = Coding::br, .encode = Coding::gzip}), Begun::no_decoder);
  EXPECT_EQ(coder.begin(pool, {.decode = Coding::gzip, .encode = Coding::br}), Begun::no_encoder);
  EXPECT_EQ(pool.gzip_encoders.free(), 1U);
  EXPECT_EQ(pool.gzip_decoders.free(), 1U);
  EXPECT_EQ(pool.betweens.free(), 1U);
  {
    BodyCoder other;
    EXPECT_EQ(other.begin(pool, {.decode = Coding::gzip, .encode = Coding::gzip}), Begun::ok);
    EXPECT_EQ(pool.gzip_encoders.free() + pool.gzip_decoders.free() + pool.betweens.free(), 0U);
  }
  EXPECT_EQ(pool.gzip_encoders.free() + pool.gzip_decoders.free() + pool.betweens.free(), 3U);
}

// Every coder, each body at another state of its predecessor: whole, in the middle, failed.
TEST(Pool, BodiesTakeNothingFromTheHeapAndLeaveNothingBehind) {
  Pool pool({1, 1, 1, 1, 1});
  BodyCoder coder;
  const std::string text = text_body(300'000);
  const std::array<std::string, 4> coded = {text, gzip_whole(text), br_whole(text), {}};
  std::vector<std::uint8_t> room(30'000);
  const std::uint64_t before = perf::allocation_count();
  for (int round = 0; round < 200; ++round) {
    Plan plan;
    plan.encode = static_cast<Coding>(round % 4);
    plan.decode = static_cast<Coding>(round / 4 % 3);
    if (!plan.changes_body()) continue;
    const std::string_view body = coded[static_cast<std::size_t>(plan.decode)];
    require(coder.begin(pool, plan) == Begun::ok);
    std::size_t taken = 0;
    for (int step = 0; step < round; ++step) {
      const bool damaged = round % 5 == 0 && step > 3;
      const std::size_t there = std::min<std::size_t>(body.size() - taken, 7'000);
      const Flow flow = damaged || taken + there == body.size() ? Flow::finish
                        : step % 3 == 0                         ? Flow::flush
                                                                : Flow::more;
      const Step done = coder.step({bytes_of(body) + taken, damaged ? 0 : there}, room, flow);
      taken += done.consumed;
      if (done.state == StepState::done || done.state == StepState::failed) break;
    }
  }
  coder.end();
  EXPECT_EQ(perf::allocation_count(), before);
  EXPECT_EQ(pool.gzip_encoders.free() + pool.br_encoders.free() + pool.zstd_encoders.free(), 3U);
  EXPECT_EQ(pool.gzip_decoders.free() + pool.br_decoders.free() + pool.betweens.free(), 4U);
}

// What brotli takes depends on the body: the worst seen must leave a margin.
TEST(Pool, BrotliEncodersStayWithinTheirMemory) {
  std::vector<std::max_align_t> memory(BrEncoder::kMemoryBytes / sizeof(std::max_align_t));
  BrEncoder encoder(std::as_writable_bytes(std::span(memory)));
  std::string ramps;
  for (int i = 0; i < 3'000'000; ++i) ramps += static_cast<char>(i * i >> 7);
  for (const std::string& body :
       {text_body(3'000'000), noise_body(3'000'000), std::string(3'000'000, 'a'), ramps,
        text_body(100'000) + noise_body(2'000'000) + text_body(1'000'000, 7)}) {
    for (const Flow flow : {Flow::more, Flow::flush}) {
      for (const std::size_t cut : {std::size_t{100}, std::size_t{20'000}, body.size()}) {
        ASSERT_TRUE(encoder.start());
        std::vector<std::uint8_t> room(64 * 1024);
        std::size_t taken = 0;
        for (Step step; step.state != StepState::done;) {
          const std::size_t there = std::min(cut, body.size() - taken);
          step = encoder.step({bytes_of(body) + taken, there}, room,
                              taken + there == body.size() ? Flow::finish : flow);
          ASSERT_NE(step.state, StepState::failed);
          taken += step.consumed;
        }
        encoder.stop();
      }
    }
  }
  RecordProperty("peak_bytes", static_cast<int>(encoder.peak_bytes()));
  EXPECT_LT(encoder.peak_bytes(), BrEncoder::kMemoryBytes * 9 / 10);
  EXPECT_GT(encoder.peak_bytes(), BrEncoder::kMemoryBytes / 4);
}

}  // namespace
}  // namespace brink::l7::compress
