#include "l7/http1/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace brink::l7::http1 {
namespace {

struct Outcome {
  std::string body;
  std::size_t used = 0;
  bool done = false;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

// Feeds `wire` in slices of `step` bytes.
Outcome decode(const std::string& wire, std::size_t step) {
  ChunkDecoder decoder;
  Outcome out;
  while (out.used < wire.size() && !decoder.done() && !decoder.failed()) {
    std::string_view slice = std::string_view(wire).substr(out.used, step);
    const std::size_t framing = decoder.take_framing(slice);
    out.used += framing;
    slice.remove_prefix(framing);
    const std::size_t body = std::min<std::uint64_t>(slice.size(), decoder.body_due());
    out.body.append(slice.substr(0, body));
    decoder.take_body(body);
    out.used += body;
  }
  out.done = decoder.done();
  out.failed = decoder.failed();
  return out;
}

TEST(ChunkDecoder, DecodesTheSameInAnySlices) {
  const std::string wire =
      "5\r\nhello\r\n00A;a=b;c=\"x\\\"y\"\r\n0123456789\r\n0;last\r\nX: y\r\nZ:\r\n\r\nNEXT";
  const Outcome whole = decode(wire, wire.size());
  EXPECT_TRUE(whole.done);
  EXPECT_EQ(whole.body, "hello0123456789");
  EXPECT_EQ(wire.substr(whole.used), "NEXT");
  for (std::size_t step = 1; step < wire.size(); ++step) EXPECT_EQ(decode(wire, step), whole);
}

TEST(ChunkDecoder, EveryProperPrefixIsUnfinished) {
  const std::string wire = "3\r\nabc\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t cut = 0; cut < wire.size(); ++cut) {
    const Outcome out = decode(wire.substr(0, cut), 64);
    EXPECT_FALSE(out.done) << cut;
    EXPECT_FALSE(out.failed) << cut;
  }
}

TEST(ChunkDecoder, RefusesEverythingAmbiguous) {
  using namespace std::string_literals;
  for (const std::string& wire : {"\r\n"s,
                                  " 5\r\nhello\r\n"s,
                                  "5 \r\nhello\r\n"s,
                                  "+5\r\nhello\r\n"s,
                                  "-1\r\n"s,
                                  "0x5\r\nhello\r\n"s,
                                  "5\nhello\r\n"s,
                                  "5\rhello"s,
                                  "5\r\rhello"s,
                                  "5\r\nhelloX"s,
                                  "5\r\nhello\n"s,
                                  "5\r\nhello\rX"s,
                                  "g\r\n"s,
                                  ";a\r\n"s,
                                  "5;\r\nhello"s,
                                  "5; a\r\nhello"s,
                                  "5 ;a\r\nhello"s,
                                  "5;a=\r\nhello"s,
                                  "5;a=\"\n\"\r\n"s,
                                  "5;a\nhello"s,
                                  "5;a\rb\r\n"s,
                                  "00000000000000005\r\n"s,
                                  "ffffffffffffffff\r\n"s,
                                  "4000000000000000\r\n"s,
                                  "0\r\n\n"s,
                                  "0\r\nX\r\n\r\n"s,
                                  "0\r\n X: y\r\n\r\n"s,
                                  "0\r\nX: y\n\r\n"s,
                                  "0\r\nX : y\r\n\r\n"s,
                                  "0\r\nX: \0\r\n\r\n"s,
                                  "0\r\n\rX"s,
                                  "5;\0\r\nhello"s}) {
    EXPECT_TRUE(decode(wire, wire.size()).failed) << wire;
    EXPECT_TRUE(decode(wire, 1).failed) << wire;
  }
}

TEST(ChunkDecoder, BoundsExtensionsOverTheWholeBodyAndTrailers) {
  std::string many;
  for (int i = 0; i < 600; ++i) many += "1;aaaaaaaa\r\nx\r\n";
  EXPECT_TRUE(decode(many, 4096).failed);
  EXPECT_TRUE(decode("0\r\nX: " + std::string(kTrailersMax, 'a'), 4096).failed);
  EXPECT_FALSE(decode("0\r\nX: " + std::string(kTrailersMax / 2, 'a'), 4096).failed);
}

TEST(ChunkHead, RoundTripsThroughTheDecoder) {
  for (const std::uint64_t size :
       {1ULL, 9ULL, 15ULL, 16ULL, 255ULL, 256ULL, 65535ULL, 1048576ULL, (1ULL << 61)}) {
    char head[kChunkHeadMax];
    const std::size_t n = write_chunk_head(head, size);
    ChunkDecoder decoder;
    EXPECT_EQ(decoder.take_framing({head, n}), n);
    EXPECT_EQ(decoder.body_due(), size);
  }
}

}  // namespace
}  // namespace brink::l7::http1
