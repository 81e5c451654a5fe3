#include "ctl/resolve/answer.h"

#include <gtest/gtest.h>

#include "ctl/resolve/message_fixture.h"

namespace brink::ctl::resolve {
namespace {

using Kind = Answer::Kind;
const Question kAsked{name("shop.example.net"), model::kTypeA};

Answer read(const Message& message, const Question& question = kAsked) {
  return read_answer(question, message.octets());
}

TEST(ReadAnswer, FollowsAChainAndTakesTheSmallestTtl) {
  const Answer answer = read(Message(kAsked)
                                 .answer("shop.example.net. 300 CNAME lb.example.org.")
                                 .answer("lb.example.org. 60 CNAME a.cdn.example.")
                                 .answer("a.cdn.example. 120 A 203.0.113.9")
                                 .answer("a.cdn.example. 120 A 203.0.113.8")
                                 .answer("a.cdn.example. 120 A 203.0.113.9"));
  ASSERT_EQ(answer.kind, Kind::kAddresses) << answer.reason;
  EXPECT_EQ(answer.addresses, (std::vector{address("203.0.113.8"), address("203.0.113.9")}));
  EXPECT_EQ(answer.ttl_s, 60U);
  EXPECT_EQ(answer.links, 2U);
}

TEST(ReadAnswer, LooksAtNothingBesideTheWay) {
  const Answer answer = read(Message(kAsked)
                                 .answer("shop.example.net. 300 A 203.0.113.9")
                                 .answer("other.example.net. 1 A 127.0.0.1"));
  EXPECT_EQ(answer.addresses, std::vector{address("203.0.113.9")});
  EXPECT_EQ(answer.ttl_s, 300U);
}

TEST(ReadAnswer, RefusesAMappedAddress) {
  const Question question{kAsked.name, model::kTypeAaaa};
  const Answer answer =
      read(Message(question).answer("shop.example.net. 300 AAAA ::ffff:127.0.0.1"), question);
  EXPECT_TRUE(answer.addresses.empty());
}

TEST(ReadAnswer, EndsALoop) {
  const Answer answer = read(Message(kAsked)
                                 .answer("shop.example.net. 300 CNAME b.example.net.")
                                 .answer("b.example.net. 300 CNAME shop.example.net."));
  EXPECT_EQ(answer.kind, Kind::kFailed);
}

TEST(ReadAnswer, GoesOnWhereTheMessageEnds) {
  const Answer answer = read(Message(kAsked).answer("shop.example.net. 40 CNAME lb.example.org."));
  EXPECT_EQ(answer.kind, Kind::kAlias);
  EXPECT_EQ(answer.alias, name("lb.example.org"));
  EXPECT_EQ(answer.ttl_s, 40U);
}

TEST(ReadAnswer, HoldsNegativeAnswersAsLongAsTheSoaSays) {
  const std::string soa = "example.net. 900 SOA ns.example.net. host.example.net. 1 2 3 4 77";
  const Answer none = read(Message(kAsked).authority(soa));
  EXPECT_EQ(none.kind, Kind::kNothing);
  EXPECT_EQ(none.ttl_s, 77U);
  const Answer no_name = read(Message(kAsked).rcode(3).authority(soa));
  EXPECT_EQ(no_name.kind, Kind::kNothing);
  EXPECT_EQ(no_name.reason, "there is no such name");
  const Answer aliased = read(
      Message(kAsked).answer("shop.example.net. 20 CNAME b.example.net.").rcode(3).authority(soa));
  EXPECT_EQ(aliased.kind, Kind::kNothing);
  EXPECT_EQ(aliased.ttl_s, 20U);
}

TEST(ReadAnswer, KnowsWhatIsNoAnswer) {
  EXPECT_EQ(read(Message(kAsked).rcode(2)).kind, Kind::kFailed);
  EXPECT_EQ(read(Message(kAsked).rcode(5)).kind, Kind::kFailed);
  EXPECT_EQ(read(Message(kAsked).truncated().answer("shop.example.net. 9 A 203.0.113.9")).kind,
            Kind::kFailed);
  EXPECT_EQ(read(Message(kAsked).authority("net. 900 NS a.gtld.example.")).kind, Kind::kFailed);
  EXPECT_EQ(read_answer(kAsked, std::vector<std::uint8_t>{1, 2, 3}).kind, Kind::kFailed);
}

TEST(ReadAnswer, BoundsTheAddresses) {
  Message message(kAsked);
  for (int i = 0; i < 40; ++i) {
    message.answer("shop.example.net. 300 A 203.0.113." + std::to_string(i));
  }
  EXPECT_EQ(read(message).addresses.size(), kAddressesMax);
}

}  // namespace
}  // namespace brink::ctl::resolve
