// The answer engine over rendered zones: question in, response out, decoded by ldns.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/snapshot/verify.h"
#include "dns/answer/engine.h"
#include "tests/support/dns_image.h"

namespace brink::dns::answer {
namespace {

using test::question;
using test::QuestionOptions;
using test::response_text;

constexpr std::uint16_t kA = 1, kNs = 2, kCname = 5, kSoa = 6, kMx = 15, kTxt = 16, kAaaa = 28,
                        kSrv = 33, kDs = 43, kAny = 255;

const std::string kExample =
    "$TTL 3600\n"
    "@ SOA ns1 hostmaster 7 10000 2400 604800 1800\n"
    "@ NS ns1\n"
    "@ NS ns2.example.net.\n"
    "@ MX 10 mail\n"
    "ns1 A 192.0.2.53\n"
    "ns1 AAAA 2001:db8::53\n"
    "www 300 A 192.0.2.1\n"
    "www 300 A 192.0.2.2\n"
    "mail 60 A 192.0.2.25\n"
    "text TXT \"hello\" \"world\"\n"
    "alias CNAME www\n"
    "alias2 CNAME alias\n"
    "out CNAME www.example.org.\n"
    "away CNAME www.elsewhere.test.\n"
    "dangling CNAME nothing\n"
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "tosub CNAME x.sub\n"
    "apexalias CNAME @\n"
    "*.w A 192.0.2.77\n"
    "there.w TXT there\n"
    "*.wc CNAME www\n"
    "a.b.c A 192.0.2.5\n"
    "_sip._tcp SRV 1 2 5060 www\n"
    "odd TYPE65534 \\# 3 010203\n"
    "sub NS ns.sub\n"
    "sub NS ns1\n"
    "sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n"
    "ns.sub A 192.0.2.99\n"
    "ns.sub AAAA 2001:db8::99\n"
    "plain NS ns.elsewhere.test.\n"
    "child NS ns1.child\n"
    "ns1.child A 192.0.2.200\n";
const std::string kChild =
    "@ 3600 SOA ns1 h 3 1 1 1 900\n@ 3600 NS ns1\nns1 3600 A 192.0.2.200\nwww 60 A 192.0.2.201\n";
const std::string kOrg =
    "@ 3600 SOA ns1 h 9 1 1 1 600\n@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n"
    "www 30 A 198.51.100.1\nback 30 CNAME www.example.com.\n";

const std::string kNegative =
    "ns example.com. 1800 IN SOA ns1.example.com. hostmaster.example.com. 7 10000 2400 604800 "
    "1800\n";

class AnswerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    image_ = std::make_unique<snapshot::Image>(test::image_of_zones(
        {{"example.com.", kExample}, {"child.example.com.", kChild}, {"example.org.", kOrg}}));
    const auto verified = image_->verify();
    ASSERT_TRUE(verified.ok()) << verified.error().message();
  }
  static void TearDownTestSuite() { image_.reset(); }

  std::vector<std::uint8_t> ask_raw(const std::vector<std::uint8_t>& query) {
    // Right after the query the buffer is hostile: nothing may depend on what stands there.
    std::vector<std::uint8_t> buffer(4096, 0xa5);
    std::copy(query.begin(), query.end(), buffer.begin());
    Message message{buffer.data(), static_cast<std::uint16_t>(query.size()), 4096, client_};
    engine_.answer_burst(image_->view(), Transport::kUdp, {&message, 1}, counters_);
    buffer.resize(message.size);
    return buffer;
  }
  std::string ask(std::string_view name, std::uint16_t type, const QuestionOptions& options = {}) {
    return response_text(ask_raw(question(name, type, options)));
  }
  std::uint64_t count(ipc::Counter counter) const { return counters_.get(counter); }

  static std::unique_ptr<snapshot::Image> image_;
  Engine engine_;
  const base::IpAddress* client_ = nullptr;
  ipc::WorkerCounters counters_;
};
std::unique_ptr<snapshot::Image> AnswerTest::image_;

TEST_F(AnswerTest, PositiveAnswerCarriesTheWholeSet) {
  EXPECT_EQ(ask("www.example.com.", kA),
            "NOERROR aa rd\n"
            "an www.example.com. 300 IN A 192.0.2.1\n"
            "an www.example.com. 300 IN A 192.0.2.2\n");
  EXPECT_EQ(count(ipc::Counter::kDnsNoError), 1U);
}

TEST_F(AnswerTest, QuestionIsEchoedWithItsCase) {
  const auto response = ask_raw(question("wWw.eXample.COM.", kA));
  const std::string text(response.begin(), response.end());
  EXPECT_NE(text.find("wWw"), std::string::npos);
  EXPECT_EQ(response_text(response).find("an wWw.eXample.COM. 300"), 14U);
}

TEST_F(AnswerTest, NoDataHasTheSoaWithTheNegativeTtl) {
  EXPECT_EQ(ask("www.example.com.", kAaaa), "NOERROR aa rd\n" + kNegative);
  EXPECT_EQ(count(ipc::Counter::kDnsNoData), 1U);
}

TEST_F(AnswerTest, NxDomainHasTheSoa) {
  EXPECT_EQ(ask("nope.example.com.", kA), "NXDOMAIN aa rd\n" + kNegative);
  EXPECT_EQ(ask("deep.nope.www.example.com.", kA), "NXDOMAIN aa rd\n" + kNegative);
}

TEST_F(AnswerTest, EmptyNonTerminalIsNoDataAndNotNxDomain) {
  for (const char* name : {"b.c.example.com.", "c.example.com.", "_tcp.example.com."}) {
    EXPECT_EQ(ask(name, kA), "NOERROR aa rd\n" + kNegative) << name;
  }
  EXPECT_EQ(ask("x.b.c.example.com.", kA), "NXDOMAIN aa rd\n" + kNegative);
}

TEST_F(AnswerTest, ApexSets) {
  EXPECT_EQ(ask("example.com.", kSoa),
            "NOERROR aa rd\nan example.com. 3600 IN SOA ns1.example.com. hostmaster.example.com. 7 "
            "10000 2400 604800 1800\n");
  EXPECT_EQ(ask("example.com.", kNs),
            "NOERROR aa rd\n"
            "an example.com. 3600 IN NS ns1.example.com.\n"
            "an example.com. 3600 IN NS ns2.example.net.\n"
            "ar ns1.example.com. 3600 IN A 192.0.2.53\n"
            "ar ns1.example.com. 3600 IN AAAA 2001:db8::53\n");
}

TEST_F(AnswerTest, MxAndSrvBringTheirTargetsAddresses) {
  EXPECT_EQ(ask("example.com.", kMx),
            "NOERROR aa rd\nan example.com. 3600 IN MX 10 mail.example.com.\n"
            "ar mail.example.com. 60 IN A 192.0.2.25\n");
  EXPECT_EQ(ask("_sip._tcp.example.com.", kSrv),
            "NOERROR aa rd\nan _sip._tcp.example.com. 3600 IN SRV 1 2 5060 www.example.com.\n"
            "ar www.example.com. 300 IN A 192.0.2.1\nar www.example.com. 300 IN A 192.0.2.2\n");
}

TEST_F(AnswerTest, SrvTargetIsNotCompressed) {
  const auto response = ask_raw(question("_sip._tcp.example.com.", kSrv));
  const std::string text(response.begin(), response.end());
  EXPECT_NE(text.find(std::string("\3www\7example\3com\0", 17), 30), std::string::npos);
}

TEST_F(AnswerTest, UnknownTypesAreServedAsTheyAre) {
  EXPECT_EQ(ask("odd.example.com.", 65534),
            "NOERROR aa rd\nan odd.example.com. 3600 IN TYPE65534 \\# 3 010203\n");
  EXPECT_EQ(ask("text.example.com.", kTxt),
            "NOERROR aa rd\nan text.example.com. 3600 IN TXT \"hello\" \"world\"\n");
}

TEST_F(AnswerTest, AliasesAreFollowedWithinTheZone) {
  EXPECT_EQ(ask("alias2.example.com.", kA),
            "NOERROR aa rd\n"
            "an alias2.example.com. 3600 IN CNAME alias.example.com.\n"
            "an alias.example.com. 3600 IN CNAME www.example.com.\n"
            "an www.example.com. 300 IN A 192.0.2.1\n"
            "an www.example.com. 300 IN A 192.0.2.2\n");
}

TEST_F(AnswerTest, AliasIsNotFollowedWhenItIsWhatWasAsked) {
  EXPECT_EQ(ask("alias2.example.com.", kCname),
            "NOERROR aa rd\nan alias2.example.com. 3600 IN CNAME alias.example.com.\n");
  EXPECT_EQ(ask("alias2.example.com.", kAny),
            "NOERROR aa rd\nan alias2.example.com. 3600 IN CNAME alias.example.com.\n");
}

TEST_F(AnswerTest, AliasCrossesIntoAnotherServedZone) {
  EXPECT_EQ(ask("out.example.com.", kA),
            "NOERROR aa rd\nan out.example.com. 3600 IN CNAME www.example.org.\n"
            "an www.example.org. 30 IN A 198.51.100.1\n");
  EXPECT_EQ(ask("out.example.com.", kAaaa),
            "NOERROR aa rd\nan out.example.com. 3600 IN CNAME www.example.org.\n"
            "ns example.org. 600 IN SOA ns1.example.org. h.example.org. 9 1 1 1 600\n");
  EXPECT_EQ(ask("back.example.org.", kA),
            "NOERROR aa rd\nan back.example.org. 30 IN CNAME www.example.com.\n"
            "an www.example.com. 300 IN A 192.0.2.1\nan www.example.com. 300 IN A 192.0.2.2\n");
}

TEST_F(AnswerTest, AliasOutOfTheServedZonesEndsTheAnswer) {
  EXPECT_EQ(ask("away.example.com.", kA),
            "NOERROR aa rd\nan away.example.com. 3600 IN CNAME www.elsewhere.test.\n");
}

TEST_F(AnswerTest, DanglingAliasIsNxDomainWithTheAlias) {
  EXPECT_EQ(
      ask("dangling.example.com.", kA),
      "NXDOMAIN aa rd\nan dangling.example.com. 3600 IN CNAME nothing.example.com.\n" + kNegative);
}

TEST_F(AnswerTest, AliasToTheApexKeepsPointersRight) {
  EXPECT_EQ(ask("apexalias.example.com.", kMx),
            "NOERROR aa rd\nan apexalias.example.com. 3600 IN CNAME example.com.\n"
            "an example.com. 3600 IN MX 10 mail.example.com.\n"
            "ar mail.example.com. 60 IN A 192.0.2.25\n");
}

TEST_F(AnswerTest, RedirectionsThatGrowEndWhereNamesDo) {  // RFC 6672 2.2
  const std::string label(60, 'l');
  const snapshot::Image image = test::image_of_zones(
      {{"example.com.", "@ 60 SOA ns1 h 1 1 1 1 1\n@ 60 NS ns1\ngrow 60 DNAME x.grow\nlong 60 DNAME " +
                            label + "." + label + "." + label + ".target\n"}});
  std::swap(*image_, const_cast<snapshot::Image&>(image));
  const std::string grown = ask("a.grow.example.com.", kA, {.edns = true, .udp_size = 4096});
  EXPECT_EQ(grown.substr(0, 14), "NOERROR aa rd\n") << grown;
  const std::string too_long = ask(label + ".long.example.com.", kA, {.edns = true});
  EXPECT_EQ(too_long.substr(0, 14), "YXDOMAIN aa rd") << too_long;
  EXPECT_NE(too_long.find("an long.example.com. 60 IN DNAME"), std::string::npos) << too_long;
  std::swap(*image_, const_cast<snapshot::Image&>(image));
}

TEST_F(AnswerTest, AliasLoopIsCut) {
  const std::string text = ask("loop1.example.com.", kA);
  EXPECT_EQ(text,
            "NOERROR aa rd\nan loop1.example.com. 3600 IN CNAME loop2.example.com.\n"
            "an loop2.example.com. 3600 IN CNAME loop1.example.com.\n");
}

TEST_F(AnswerTest, AliasBelowADelegationEndsInAReferral) {
  EXPECT_EQ(ask("tosub.example.com.", kA),
            "NOERROR aa rd\nan tosub.example.com. 3600 IN CNAME x.sub.example.com.\n"
            "ns sub.example.com. 3600 IN NS ns.sub.example.com.\n"
            "ns sub.example.com. 3600 IN NS ns1.example.com.\n"
            "ar ns.sub.example.com. 3600 IN A 192.0.2.99\n"
            "ar ns.sub.example.com. 3600 IN AAAA 2001:db8::99\n"
            "ar ns1.example.com. 3600 IN A 192.0.2.53\n"
            "ar ns1.example.com. 3600 IN AAAA 2001:db8::53\n");
}

TEST_F(AnswerTest, WildcardAnswersUnderTheNameAsked) {
  EXPECT_EQ(ask("x.y.w.example.com.", kA),
            "NOERROR aa rd\nan x.y.w.example.com. 3600 IN A 192.0.2.77\n");
  EXPECT_EQ(ask("*.w.example.com.", kA),
            "NOERROR aa rd\nan *.w.example.com. 3600 IN A 192.0.2.77\n");
  EXPECT_EQ(ask("x.w.example.com.", kTxt), "NOERROR aa rd\n" + kNegative);
  EXPECT_EQ(ask("x.wc.example.com.", kA),
            "NOERROR aa rd\nan x.wc.example.com. 3600 IN CNAME www.example.com.\n"
            "an www.example.com. 300 IN A 192.0.2.1\nan www.example.com. 300 IN A 192.0.2.2\n");
}

TEST_F(AnswerTest, WildcardIsBlockedByAnExistingName) {
  EXPECT_EQ(ask("there.w.example.com.", kA), "NOERROR aa rd\n" + kNegative);
  EXPECT_EQ(ask("x.there.w.example.com.", kA), "NXDOMAIN aa rd\n" + kNegative);
}

const std::string kReferral =
    "NOERROR rd\n"
    "ns sub.example.com. 3600 IN NS ns.sub.example.com.\n"
    "ns sub.example.com. 3600 IN NS ns1.example.com.\n"
    "ar ns.sub.example.com. 3600 IN A 192.0.2.99\n"
    "ar ns.sub.example.com. 3600 IN AAAA 2001:db8::99\n"
    "ar ns1.example.com. 3600 IN A 192.0.2.53\n"
    "ar ns1.example.com. 3600 IN AAAA 2001:db8::53\n";

TEST_F(AnswerTest, EveryNameAtAndBelowADelegationIsReferred) {
  EXPECT_EQ(ask("sub.example.com.", kA), kReferral);
  EXPECT_EQ(ask("sub.example.com.", kNs), kReferral);
  EXPECT_EQ(ask("ns.sub.example.com.", kA), kReferral);
  EXPECT_EQ(ask("a.b.sub.example.com.", kAny), kReferral);
  EXPECT_EQ(ask("a.b.sub.example.com.", kDs), kReferral);
}

TEST_F(AnswerTest, DsAtADelegationComesFromTheParent) {
  EXPECT_EQ(ask("sub.example.com.", kDs),
            "NOERROR aa rd\nan sub.example.com. 3600 IN DS 1 13 2 " + std::string(64, '0') + "\n");
  EXPECT_EQ(ask("plain.example.com.", kDs), "NOERROR aa rd\n" + kNegative);
}

TEST_F(AnswerTest, DsAtAServedChildIsAnsweredByTheParentAndAlone) {
  EXPECT_EQ(ask("child.example.com.", kDs), "NOERROR aa rd\n" + kNegative);
  EXPECT_EQ(
      ask("example.org.", kDs),
      "NOERROR aa rd\nns example.org. 600 IN SOA ns1.example.org. h.example.org. 9 1 1 1 600\n");
}

TEST_F(AnswerTest, ServedChildAnswersForItself) {
  EXPECT_EQ(ask("www.child.example.com.", kA),
            "NOERROR aa rd\nan www.child.example.com. 60 IN A 192.0.2.201\n");
  EXPECT_EQ(ask("nope.child.example.com.", kA),
            "NXDOMAIN aa rd\nns child.example.com. 900 IN SOA ns1.child.example.com. "
            "h.child.example.com. 3 1 1 1 900\n");
}

TEST_F(AnswerTest, NamesOfNobodyAreRefused) {
  EXPECT_EQ(ask("www.elsewhere.test.", kA), "REFUSED rd\n");
  EXPECT_EQ(ask("com.", kNs), "REFUSED rd\n");
  EXPECT_EQ(ask(".", kNs), "REFUSED rd\n");
  EXPECT_EQ(ask("www.example.com.", kA, {.klass = 3}), "REFUSED rd\n");
}

TEST_F(AnswerTest, EdnsIsAnsweredOnlyWhenAsked) {
  EXPECT_EQ(ask("mail.example.com.", kA, {.edns = true}),
            "NOERROR aa rd\nan mail.example.com. 60 IN A 192.0.2.25\nopt size=1232\n");
  EXPECT_EQ(ask("mail.example.com.", kA, {.edns = true, .dnssec_ok = true}),
            "NOERROR aa rd\nan mail.example.com. 60 IN A 192.0.2.25\nopt size=1232 do\n");
}

TEST_F(AnswerTest, FlagsAreCopiedOrClearedAsTheRfcsSay) {
  EXPECT_EQ(ask("mail.example.com.", kA, {.flags = 0}).substr(0, 11), "NOERROR aa\n");
  EXPECT_EQ(ask("mail.example.com.", kA, {.flags = 0x0110}).substr(0, 17), "NOERROR aa rd cd\n");
  EXPECT_EQ(ask("mail.example.com.", kA, {.flags = 0x07e0}).substr(0, 14), "NOERROR aa rd\n")
      << "AA, TC, RA, Z and AD of a query mean nothing";
}

TEST_F(AnswerTest, UnknownEdnsVersionIsBadVers) {
  auto query = question("www.example.com.", kA, {.edns = true});
  query[query.size() - 5] = 1;
  EXPECT_EQ(response_text(ask_raw(query)), "NOERROR rd\nopt size=1232 extended-rcode=1\n");
  EXPECT_EQ(count(ipc::Counter::kDnsBadVers), 1U);
}

TEST_F(AnswerTest, MalformedEdnsIsFormErr) {
  auto two = question("www.example.com.", kA, {.edns = true});
  two.insert(two.end(), two.end() - 11, two.end());
  two[11] = 2;
  EXPECT_EQ(response_text(ask_raw(two)).substr(0, 7), "FORMERR");
  auto not_root = question("www.example.com.", kA, {.edns = true});
  not_root.insert(not_root.end() - 11, {1, 'x'});
  EXPECT_EQ(response_text(ask_raw(not_root)).substr(0, 7), "FORMERR");
  auto lying_option = question("www.example.com.", kA, {.edns = true});
  lying_option.back() = 4;
  lying_option.insert(lying_option.end(), {0, 3, 0, 9});
  EXPECT_EQ(response_text(ask_raw(lying_option)).substr(0, 7), "FORMERR");
}

TEST_F(AnswerTest, UnknownOptionsAreIgnoredAndShortCookiesAreNot) {
  auto query = question("mail.example.com.", kA, {.edns = true});
  query.back() = 6;
  query.insert(query.end(), {0xfd, 0xe9, 0, 2, 1, 2});
  EXPECT_EQ(response_text(ask_raw(query)).substr(0, 7), "NOERROR");
  auto cookie = question("mail.example.com.", kA, {.edns = true});
  cookie.back() = 11;
  cookie.insert(cookie.end(), {0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(response_text(ask_raw(cookie)).substr(0, 7), "FORMERR");
}

TEST_F(AnswerTest, ResponsesAndStubsAreDropped) {
  EXPECT_TRUE(ask_raw(question("www.example.com.", kA, {.flags = 0x8000})).empty());
  EXPECT_EQ(count(ipc::Counter::kDropDnsResponse), 1U);
  EXPECT_TRUE(ask_raw({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).empty());
  EXPECT_EQ(count(ipc::Counter::kDropDnsShort), 1U);
}

TEST_F(AnswerTest, OtherOpcodesAreNotImplementedAndGetTheHeaderBack) {
  const auto response = ask_raw(question("www.example.com.", kA, {.flags = 0x2900}));
  EXPECT_EQ(response, (std::vector<std::uint8_t>{0x12, 0x34, 0xa9, 0x04, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_F(AnswerTest, TransferAndMetaTypesOverUdp) {
  EXPECT_EQ(ask("example.com.", 252), "NOTIMPL rd\n");
  EXPECT_EQ(ask("example.com.", 251).substr(0, 40), "NOERROR aa rd\nan example.com. 3600 IN SO");
  EXPECT_EQ(ask("example.com.", 41), "FORMERR rd\n");
}

TEST_F(AnswerTest, MalformedQuestionsAreFormErr) {
  const auto good = question("www.example.com.", kA);
  const auto rcode_of = [this](std::vector<std::uint8_t> query) {
    const auto response = ask_raw(query);
    return response.size() < 4 ? -1 : response[3] & 15;
  };
  for (std::size_t size = 12; size < good.size(); ++size) {
    EXPECT_EQ(rcode_of({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}), 1)
        << size;
  }
  auto trailing = good;
  trailing.push_back(0);
  EXPECT_EQ(rcode_of(trailing), 1);
  for (const int questions : {0, 2, 255}) {
    auto query = good;
    query[5] = static_cast<std::uint8_t>(questions);
    EXPECT_EQ(rcode_of(query), 1) << questions;
  }
  auto pointer = good;
  pointer[12] = 0xc0;
  EXPECT_EQ(rcode_of(pointer), 1);
  auto extended_label = good;
  extended_label[12] = 0x41;
  EXPECT_EQ(rcode_of(extended_label), 1);
  std::vector<std::uint8_t> long_name(good.begin(), good.begin() + 12);
  for (int i = 0; i < 128; ++i) long_name.insert(long_name.end(), {1, 'a'});
  long_name.insert(long_name.end(), {0, 0, 1, 0, 1});
  EXPECT_EQ(rcode_of(long_name), 1);
}

TEST_F(AnswerTest, WholeBurstIsAnsweredEachForItself) {
  std::vector<std::vector<std::uint8_t>> buffers;
  std::vector<Message> messages;
  const std::pair<const char*, const char*> cases[] = {{"www.example.com.", "NOERROR aa"},
                                                       {"nope.example.com.", "NXDOMAIN a"},
                                                       {"www.example.org.", "NOERROR aa"},
                                                       {"elsewhere.test.", "REFUSED rd"}};
  for (std::size_t i = 0; i < kBurstMax; ++i) {
    auto query = question(cases[i % 4].first, kA);
    const auto size = static_cast<std::uint16_t>(query.size());
    query.resize(1024);
    buffers.push_back(std::move(query));
    messages.push_back({buffers.back().data(), size, 1024});
  }
  engine_.answer_burst(image_->view(), Transport::kUdp, messages, counters_);
  for (std::size_t i = 0; i < kBurstMax; ++i) {
    buffers[i].resize(messages[i].size);
    EXPECT_EQ(response_text(buffers[i]).substr(0, 10), cases[i % 4].second) << i;
  }
  EXPECT_EQ(count(ipc::Counter::kDnsQueries), kBurstMax);
}

// Sizes: what fits, what is left out, what truncates.
class SizeTest : public AnswerTest {
 protected:
  static std::string big_zone() {
    std::string zone = "@ 3600 SOA ns1 h 1 1 1 1 1\n@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n";
    for (int i = 0; i < 40; ++i) {
      zone += "big 60 TXT \"" + std::string(40, 'x') + std::to_string(i) + "\"\n";
    }
    for (int i = 0; i < 12; ++i) {
      const std::string n = std::to_string(i);
      zone += "cut 60 NS a" + n + ".cut\na" + n + ".cut 60 A 192.0.2." + n + "\na" + n +
              ".cut 60 AAAA 2001:db8::" + n + "\n";
      zone += "mx 60 MX 1 m" + n + "\nm" + n + " 60 A 192.0.2." + n + "\nm" + n +
              " 60 AAAA 2001:db8::" + n + "\n";
    }
    return zone;
  }
};

TEST_F(SizeTest, SetThatDoesNotFitIsLeftOutWholeAndTruncates) {
  const snapshot::Image image = test::image_of_zones({{"example.com.", big_zone()}});
  std::swap(*image_, const_cast<snapshot::Image&>(image));
  EXPECT_EQ(ask("big.example.com.", kTxt, {.edns = true}), "NOERROR aa tc rd\nopt size=1232\n");
  EXPECT_EQ(count(ipc::Counter::kDnsTruncated), 1U);

  const auto optional = ask_raw(question("mx.example.com.", kMx));
  EXPECT_LE(optional.size(), 512U);
  const std::string optional_text = response_text(optional);
  EXPECT_EQ(optional_text.substr(0, 14), "NOERROR aa rd\n") << "optional addresses never truncate";
  EXPECT_EQ(optional_text.find("\nar"), std::string::npos);

  const std::string required = ask("x.cut.example.com.", kA);
  EXPECT_EQ(required.substr(0, 14), "NOERROR tc rd\n") << "required glue does (RFC 9471)";
  const std::string with_room = ask("x.cut.example.com.", kA, {.edns = true, .udp_size = 4096});
  EXPECT_EQ(with_room.substr(0, 11), "NOERROR rd\n") << with_room;
  EXPECT_NE(with_room.find("ar a11.cut.example.com. 60 IN AAAA"), std::string::npos);
  std::swap(*image_, const_cast<snapshot::Image&>(image));
}

TEST_F(SizeTest, ClientsSizeIsClampedBetween512AndOurs) {
  const snapshot::Image image = test::image_of_zones({{"example.com.", big_zone()}});
  std::swap(*image_, const_cast<snapshot::Image&>(image));
  EngineOptions options;
  options.udp_size_max = 4096;
  Engine wide(options);
  std::swap(engine_, wide);
  EXPECT_EQ(ask("big.example.com.", kTxt, {.edns = true, .udp_size = 1232}).substr(0, 16),
            "NOERROR aa tc rd");
  EXPECT_EQ(ask("big.example.com.", kTxt, {.edns = true, .udp_size = 65535}).substr(0, 14),
            "NOERROR aa rd\n");
  const auto tiny = ask_raw(question("mx.example.com.", kMx, {.edns = true, .udp_size = 100}));
  EXPECT_GT(tiny.size(), 100U);
  EXPECT_EQ(response_text(tiny).substr(0, 14), "NOERROR aa rd\n");
  std::swap(*image_, const_cast<snapshot::Image&>(image));
}

// The query with one option in its OPT record.
std::vector<std::uint8_t> with_option(std::vector<std::uint8_t> query,
                                      const std::vector<std::uint8_t>& option) {
  query[query.size() - 1] = static_cast<std::uint8_t>(option.size());
  query.insert(query.end(), option.begin(), option.end());
  return query;
}

TEST_F(AnswerTest, NamesItselfToWhoAsks) {  // RFC 5001 2.1
  const auto query = question("www.example.com.", kA, {.edns = true});
  const std::vector<std::uint8_t> nsid = {0, 3, 0, 0};
  const auto unnamed = ask_raw(with_option(query, nsid));
  EXPECT_EQ(unnamed, ask_raw(query)) << "no name, no option";
  EngineOptions options;
  options.identity = "edge1";
  Engine named(options);
  std::swap(engine_, named);
  const auto got = ask_raw(with_option(query, nsid));
  const std::vector<std::uint8_t> tail(got.end() - 11, got.end());
  EXPECT_EQ(tail, (std::vector<std::uint8_t>{0, 9, 0, 3, 0, 5, 'e', 'd', 'g', 'e', '1'}));
  EXPECT_EQ(ask_raw(query), unnamed) << "not asked, not told";
}

TEST_F(AnswerTest, GivesACookieAndKnowsItAgain) {  // RFC 7873 5.2
  const auto client = *base::IpAddress::parse("198.51.100.100");
  client_ = &client;
  const guard::CookieSecrets secrets{{guard::SipKey{1, 2, 3}}, 1};
  engine_.set_cookies(&secrets, 1'700'000'000);
  const auto query = question("www.example.com.", kA, {.edns = true});
  const std::vector<std::uint8_t> first = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto got = ask_raw(with_option(query, first));
  ASSERT_EQ(got.size(), ask_raw(query).size() + 28);
  const std::vector<std::uint8_t> option(got.end() - 28, got.end());
  EXPECT_EQ(std::vector<std::uint8_t>(option.begin(), option.begin() + 12),
            (std::vector<std::uint8_t>{0, 10, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(count(ipc::Counter::kDnsCookieBad), 0U) << "it has not shown one of ours";
  ask_raw(with_option(query, option));
  EXPECT_EQ(count(ipc::Counter::kDnsCookieGood), 1U);
  const auto other = *base::IpAddress::parse("198.51.100.101");
  client_ = &other;
  EXPECT_EQ(response_text(ask_raw(with_option(query, option))).substr(0, 10), "NOERROR aa");
  EXPECT_EQ(count(ipc::Counter::kDnsCookieBad), 1U);
}

TEST_F(AnswerTest, GivesACookieWithoutAQuestion) {  // RFC 7873 5.4
  const auto client = *base::IpAddress::parse("2001:db8::1");
  client_ = &client;
  const guard::CookieSecrets secrets{{guard::SipKey{1, 2, 3}}, 1};
  engine_.set_cookies(&secrets, 1'700'000'000);
  std::vector<std::uint8_t> query = {0, 7, 0, 0, 0,  0, 0,  0, 0, 0, 0, 1, 0, 0, 41, 4, 208, 0,
                                     0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6,  7, 8};
  const auto got = ask_raw(query);
  EXPECT_EQ(got.size(), 12U + 11 + 28);
  EXPECT_EQ(got[3] & 15, 0);
  query[11] = 0;
  query.resize(12);
  EXPECT_EQ(ask_raw(query)[3] & 15, 1) << "no question and no cookie";
}

// One answer a second, every second of the others truncated.
class RateTest : public AnswerTest {
 protected:
  RateTest() : limiter_(options()) {
    engine_.set_rate_limiter(&limiter_);
    engine_.set_cookies(&secrets_, 1'700'000'000);
    client_ = &address_;
  }
  static guard::RateLimiterOptions options() {
    guard::RateLimiterOptions made;
    made.answers_per_second = 1;
    made.lines = 64;
    return made;
  }
  // The first line of the response, or "nothing".
  std::string first_line(const std::vector<std::uint8_t>& query) {
    const auto got = ask_raw(query);
    if (got.empty()) return "nothing";
    const std::string text = response_text(got);
    return text.substr(0, text.find('\n'));
  }
  std::string first_line(const char* name) {
    return first_line(question(name, kA, {.edns = true}));
  }

  const base::IpAddress address_ = *base::IpAddress::parse("198.51.100.100");
  const guard::CookieSecrets secrets_{{guard::SipKey{1, 2, 3}}, 1};
  guard::RateLimiter limiter_;
};

TEST_F(RateTest, LikeAnswersAreDroppedOrTruncated) {
  EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd");
  EXPECT_EQ(first_line("www.example.com."), "nothing");
  EXPECT_EQ(first_line("www.example.com."), "NOERROR tc rd");
  EXPECT_EQ(count(ipc::Counter::kDropDnsRate), 1U);
  EXPECT_EQ(count(ipc::Counter::kDnsRateSlipped), 1U);
  EXPECT_EQ(first_line("ns1.example.com."), "NOERROR aa rd") << "another answer";
}

TEST_F(RateTest, ARandomSubdomainFloodIsOneKindOfAnswer) {
  EXPECT_EQ(first_line("r1.example.com."), "NXDOMAIN aa rd");
  EXPECT_EQ(first_line("r2.example.com."), "nothing");
  EXPECT_EQ(first_line("r3.example.com."), "NOERROR tc rd");
  EXPECT_EQ(first_line("r1.elsewhere.test."), "REFUSED rd");
  EXPECT_EQ(first_line("r2.elsewhere.test."), "nothing");
  EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd") << "others are not held up";
}

// Nothing is proven for a name that is not answered; what is there is answered all the while.
TEST_F(RateTest, CeilingsDropUnderTheirOwnNames) {
  auto ceilings = options();
  ceilings.answers_per_second = 0;
  ceilings.slip = 0;
  ceilings.negative_per_second = 2;
  ceilings.source_per_second = 6;
  ceilings.total_per_second = 9;
  guard::RateLimiter limiter(ceilings);
  engine_.set_rate_limiter(&limiter);
  EXPECT_EQ(first_line("r1.example.com."), "NXDOMAIN aa rd");
  EXPECT_EQ(first_line(question("www.example.com.", wire::kTypeTxt, {.edns = true})),
            "NOERROR aa rd");
  EXPECT_EQ(first_line("r2.example.com."), "nothing");
  EXPECT_EQ(count(ipc::Counter::kDropDnsNegative), 1U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd");
  EXPECT_EQ(first_line("www.example.com."), "nothing");
  EXPECT_EQ(count(ipc::Counter::kDropDnsSource), 1U);
  const auto other = *base::IpAddress::parse("203.0.113.7");
  client_ = &other;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd");
  EXPECT_EQ(first_line("www.example.com."), "nothing");
  EXPECT_EQ(count(ipc::Counter::kDropDnsCeiling), 1U);
  EXPECT_EQ(count(ipc::Counter::kDnsRateSlipped), 0U);
}

TEST_F(RateTest, ExemptNetworksAreNotLimited) {
  auto exempting = options();
  exempting.exempt = {*base::IpPrefix::parse("192.0.2.0/24"),
                      *base::IpPrefix::parse("198.51.100.96/27")};
  guard::RateLimiter limiter(exempting);
  engine_.set_rate_limiter(&limiter);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd");
  const auto other = *base::IpAddress::parse("203.0.113.7");
  client_ = &other;
  EXPECT_EQ(first_line("www.example.com."), "NOERROR aa rd");
  EXPECT_EQ(first_line("www.example.com."), "nothing");
}

TEST_F(RateTest, WhoShowsACookieIsNotLimited) {  // RFC 7873 5.2.3, 5.2.4
  const auto query = question("www.example.com.", kA, {.edns = true});
  const auto fresh = with_option(query, {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8});
  const auto got = ask_raw(fresh);
  const std::vector<std::uint8_t> cookie(got.end() - 28, got.end());
  EXPECT_EQ(first_line(fresh), "nothing");
  const auto refused = ask_raw(fresh);
  EXPECT_EQ(refused[3] & 15, 23 & 15);
  EXPECT_EQ(std::vector<std::uint8_t>(refused.end() - 28, refused.end()), cookie);
  EXPECT_EQ(count(ipc::Counter::kDnsBadCookie), 1U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(first_line(with_option(query, cookie)), "NOERROR aa rd");
}

TEST_F(AnswerTest, TellsItsNameAndVersionInClassChaosWhereItMay) {  // RFC 4892
  const auto chaos = [](const char* name, std::uint16_t type = kTxt) {
    return question(name, type, {.edns = true, .klass = 3});
  };
  for (const char* name : {"id.server.", "version.bind."}) {
    EXPECT_EQ(response_text(ask_raw(chaos(name))).substr(0, 7), "REFUSED") << name;
  }
  EngineOptions options;
  options.identity = "edge1";
  options.version = "Brink 1";
  Engine named(options);
  std::swap(engine_, named);
  for (const char* name : {"id.server.", "HOSTNAME.bind."}) {
    const std::string text = response_text(ask_raw(chaos(name)));
    EXPECT_NE(text.find(" 0 CH TXT \"edge1\""), std::string::npos) << text;
  }
  for (const char* name : {"version.server.", "version.Bind."}) {
    const std::string text = response_text(ask_raw(chaos(name, 255)));
    EXPECT_NE(text.find(" 0 CH TXT \"Brink 1\""), std::string::npos) << text;
  }
  EXPECT_EQ(response_text(ask_raw(chaos("id.server.", kA))).substr(0, 7), "REFUSED");
  EXPECT_EQ(response_text(ask_raw(chaos("www.example.com."))).substr(0, 7), "REFUSED");
}

// The octets of the response's option of this code; empty: there is none.
std::vector<std::uint8_t> option_of(const std::vector<std::uint8_t>& response, std::size_t query_size,
                                    std::uint16_t code) {
  for (std::size_t at = query_size; at + 4 <= response.size();) {
    const std::size_t size = response[at + 2] * 256U + response[at + 3];
    if (response[at] * 256U + response[at + 1] == code) {
      return {response.begin() + static_cast<std::ptrdiff_t>(at + 4),
              response.begin() + static_cast<std::ptrdiff_t>(at + 4 + size)};
    }
    at += 4 + size;
  }
  return {};
}

TEST_F(AnswerTest, SaysWhyThereIsNoAnswer) {  // RFC 8914 4
  using Code = std::vector<std::uint8_t>;
  const auto reason = [this](const std::vector<std::uint8_t>& query, std::size_t behind) {
    return option_of(ask_raw(query), behind, 15);
  };
  const auto elsewhere = question("www.example.net.", kA, {.edns = true});
  EXPECT_EQ(reason(elsewhere, elsewhere.size()), (Code{0, 20}));
  const auto chaos = question("id.server.", kTxt, {.edns = true, .klass = 3});
  EXPECT_EQ(reason(chaos, chaos.size()), (Code{0, 18}));
  const auto served = question("www.example.com.", kA, {.edns = true});
  EXPECT_EQ(ask_raw(served), ask_raw(served));
  EXPECT_EQ(ask("www.example.net.", kA), "REFUSED rd\n") << "without EDNS there is no place for it";
}

TEST_F(AnswerTest, EncryptedResponsesAreFilledUpIfAskedFor) {  // RFC 7830, RFC 8467 4.1
  const auto padded = with_option(question("www.example.com.", kA, {.edns = true}),
                                  {0, 12, 0, 3, 0, 0, 0});
  const auto size_over = [&](Transport transport, const std::vector<std::uint8_t>& query) {
    std::vector<std::uint8_t> buffer(4096);
    std::copy(query.begin(), query.end(), buffer.begin());
    Message message{buffer.data(), static_cast<std::uint16_t>(query.size()), 4096};
    engine_.answer_burst(image_->view(), transport, {&message, 1}, counters_);
    buffer.resize(message.size);
    EXPECT_EQ(response_text(buffer).substr(0, 10), "NOERROR aa");
    return buffer.size();
  };
  EXPECT_EQ(size_over(Transport::kEncryptedStream, padded), kPaddingBlock);
  EXPECT_LT(size_over(Transport::kStream, padded), 200U);
  EXPECT_LT(size_over(Transport::kUdp, padded), 200U);
  EXPECT_LT(size_over(Transport::kEncryptedStream, question("www.example.com.", kA, {.edns = true})),
            200U);
}

TEST_F(AnswerTest, TellsClientsWhoTheyAre) {
  EngineOptions options;
  options.identity = "edge1";
  options.whoami = std::string("\6whoami\7example\3com\0", 20);
  Engine named(options);
  std::swap(engine_, named);
  const auto v4 = *base::IpAddress::parse("198.51.100.7"), v6 = *base::IpAddress::parse("2001:db8::7");
  client_ = &v4;
  EXPECT_EQ(ask("WhoAmI.example.com.", kA),
            "NOERROR aa rd\nan WhoAmI.example.com. 0 IN A 198.51.100.7\n");
  EXPECT_EQ(ask("whoami.example.com.", kTxt),
            "NOERROR aa rd\nan whoami.example.com. 0 IN TXT \"198.51.100.7\" \"edge1\"\n");
  EXPECT_EQ(ask("whoami.example.com.", kAaaa), "NOERROR aa rd\n") << "not its family";
  client_ = &v6;
  EXPECT_EQ(ask("whoami.example.com.", kAaaa),
            "NOERROR aa rd\nan whoami.example.com. 0 IN AAAA 2001:db8::7\n");
  EXPECT_EQ(ask("x.whoami.example.com.", kA).substr(0, 8), "NXDOMAIN");
}

TEST_F(AnswerTest, UnknownOptionsAreNotEchoed) {  // RFC 6891 6.1.2
  const auto query = question("www.example.com.", kA, {.edns = true});
  EXPECT_EQ(ask_raw(with_option(query, {0xfd, 0xe9, 0, 2, 1, 2})), ask_raw(query));
  EXPECT_EQ(ask_raw(with_option(query, {0, 11, 0, 0})), ask_raw(query))
      << "no keep-alive over UDP (RFC 7828 3.3.2)";
}

TEST_F(AnswerTest, RandomBytesNeverBreakTheEngineOrItsResponses) {
  std::mt19937 random(20240607);
  const auto seedling = question("alias2.example.com.", kA, {.edns = true});
  for (int round = 0; round < 20000; ++round) {
    auto query = seedling;
    for (int i = 0; i < 1 + static_cast<int>(random() % 6); ++i) {
      query[random() % query.size()] = static_cast<std::uint8_t>(random());
    }
    query.resize(1 + random() % query.size());
    const auto response = ask_raw(query);
    if (response.empty()) continue;
    ASSERT_GE(response.size(), 12U);
    ASSERT_EQ(response[0], query[0]);
    ASSERT_NE(response[2] & 0x80, 0);
    ASSERT_EQ(response_text(response).find("malformed"), std::string::npos) << round;
  }
}

}  // namespace
}  // namespace brink::dns::answer
