#include "l7/compress/accept_encoding.h"

#include <gtest/gtest.h>

#include <string>

#include "l7/http1/request_parser.h"

namespace brink::l7::compress {
namespace {

constexpr unsigned kAll = bit_of(Coding::gzip) | bit_of(Coding::br) | bit_of(Coding::zstd);

Accepted accepted(const std::string& fields) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  http::RequestHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  EXPECT_EQ(http1::parse_request(text, {}, 80, progress, head, size), http::Verdict::ok) << text;
  return read_accept_encoding(head.fields);
}

Coding chosen(const std::string& value, unsigned offered = kAll) {
  return choose(accepted("Accept-Encoding: " + value + "\r\n"), offered);
}

TEST(AcceptEncoding, NoFieldAndAnEmptyOneMeanIdentity) {
  EXPECT_EQ(choose(accepted(""), kAll), Coding::identity);
  EXPECT_EQ(chosen(""), Coding::identity);
  EXPECT_EQ(chosen(" , ,"), Coding::identity);
}

TEST(AcceptEncoding, AmongEqualsZstdThenBrotliThenGzip) {
  EXPECT_EQ(chosen("gzip, deflate, br, zstd"), Coding::zstd);
  EXPECT_EQ(chosen("gzip, deflate, br"), Coding::br);
  EXPECT_EQ(chosen("gzip, deflate"), Coding::gzip);
  EXPECT_EQ(chosen("deflate"), Coding::identity);
  EXPECT_EQ(chosen("gzip, br, zstd", bit_of(Coding::gzip)), Coding::gzip);
  EXPECT_EQ(chosen("gzip, br, zstd", 0), Coding::identity);
}

TEST(AcceptEncoding, TheGreatestWeightWins) {
  EXPECT_EQ(chosen("zstd;q=0.5, br;q=0.6, gzip;q=0.7"), Coding::gzip);
  EXPECT_EQ(chosen("zstd;q=0.501, br;q=0.50, gzip;q=0.5"), Coding::zstd);
  EXPECT_EQ(chosen("gzip ; Q=0.3 , br\t;\tq=0.2"), Coding::gzip);
  EXPECT_EQ(chosen("gzip;x=1;q=0.3, br;q=0.2"), Coding::gzip);
}

TEST(AcceptEncoding, ZeroRefuses) {
  EXPECT_EQ(chosen("gzip;q=0"), Coding::identity);
  EXPECT_EQ(chosen("zstd;q=0.000, br;q=0., gzip"), Coding::gzip);
  EXPECT_EQ(chosen("br;q=0, *"), Coding::gzip);
}

TEST(AcceptEncoding, WhatIsNoWeightRefuses) {
  for (const char* const weight :
       {"", "2", "1.5", "1.001", "0.1234", "-1", ".5", "0,5", "x", "01"}) {
    EXPECT_EQ(chosen(std::string("gzip;q=") + weight), Coding::identity) << weight;
  }
  EXPECT_EQ(chosen("gzip;q=1.000"), Coding::gzip);
}

TEST(AcceptEncoding, TheLeastWeightOfThoseGivenTwiceCounts) {
  EXPECT_EQ(chosen("gzip, gzip;q=0"), Coding::identity);
  EXPECT_EQ(chosen("gzip;q=0, gzip"), Coding::identity);
  EXPECT_EQ(chosen("gzip, x-gzip;q=0"), Coding::identity);
}

TEST(AcceptEncoding, AStarMeansGzipAlone) {
  EXPECT_EQ(chosen("*"), Coding::gzip);
  EXPECT_EQ(chosen("*;q=0"), Coding::identity);
  EXPECT_EQ(chosen("gzip;q=0, *;q=1"), Coding::identity);
  EXPECT_EQ(chosen("br;q=0.1, *;q=0"), Coding::br);
}

TEST(AcceptEncoding, IdentityIsServedWhereItIsLikedBetter) {
  EXPECT_EQ(chosen("identity, gzip;q=0.5"), Coding::identity);
  EXPECT_EQ(chosen("identity;q=0.5, gzip"), Coding::gzip);
  EXPECT_EQ(chosen("identity, gzip"), Coding::gzip);
  EXPECT_EQ(chosen("*;q=0.8, br;q=0.5"), Coding::gzip);
}

TEST(AcceptEncoding, RefusingIdentityStillGetsACodingOrIdentity) {
  EXPECT_EQ(chosen("identity;q=0, gzip;q=0.1"), Coding::gzip);
  EXPECT_EQ(chosen("identity;q=0"), Coding::identity);
  EXPECT_EQ(chosen("identity;q=0, *;q=0"), Coding::identity);
}

TEST(AcceptEncoding, SeveralFieldsAreOneList) {
  const Accepted both = accepted("Accept-Encoding: gzip\r\naccept-encoding: BR;q=0.5\r\n");
  EXPECT_EQ(choose(both, kAll), Coding::gzip);
  EXPECT_TRUE(both.takes(Coding::br));
  EXPECT_FALSE(both.takes(Coding::zstd));
  EXPECT_TRUE(both.takes(Coding::identity));
}

}  // namespace
}  // namespace brink::l7::compress
