// The steps of a check by a scripted exchange.
#include "ctl/resolve/delegation.h"

#include <gtest/gtest.h>

#include <map>

#include "ctl/resolve/message_fixture.h"

namespace brink::ctl::resolve {
namespace {

using Kind = Delegation::Kind;

const std::string kDigest(64, 'a');

class ScriptedExchange : public Exchange {
 public:
  // Questions that no script answers time out.
  void script(const Question& question, const Message& message) {
    resolved_[question] = message.reply();
  }
  void script_at(const std::string& server, const Message& message) {
    authoritative_[address(server)] = message.reply();
  }

  void ask(const Question& question, Done done) override {
    const auto known = resolved_.find(question);
    ready_.push_back([done = std::move(done), reply = known == resolved_.end()
                                                          ? Reply{{}, "Timeout"}
                                                          : known->second] { done(reply); });
  }
  void ask_at(const std::vector<base::Endpoint>& servers, const Question&, Done done) override {
    asked_at.push_back(servers.at(0));
    const auto known = authoritative_.find(servers.at(0).address);
    ready_.push_back([done = std::move(done), reply = known == authoritative_.end()
                                                          ? Reply{{}, "Timeout"}
                                                          : known->second] { done(reply); });
  }
  void run() {
    while (!ready_.empty()) {
      const auto next = std::move(ready_.front());
      ready_.pop_front();
      next();
    }
  }

  std::vector<base::Endpoint> asked_at;

 private:
  std::map<Question, Reply> resolved_;
  std::map<base::IpAddress, Reply> authoritative_;
  std::deque<std::function<void()>> ready_;
};

class DelegationTest : public ::testing::Test {
 protected:
  DelegationTest() : filter_({*Prefix::parse("203.0.113.0/24")}, {}) {
    exchange_.script(kParent,
                     Message(kParent).answer("com. 300 NS a.tld.").answer("com. 300 NS b.tld."));
    script_address("a.tld", "203.0.113.1");
    script_address("b.tld", "203.0.113.2");
  }
  void script_address(const std::string& server, const std::string& text) {
    const Question question{name(server), model::kTypeA};
    exchange_.script(question, Message(question).answer(server + ". 300 A " + text));
  }
  Delegation check(const std::string& zone = "example.com") {
    std::vector<Delegation> found;
    check_delegation(exchange_, filter_, 53, name(zone),
                     [&](Delegation delegation) { found.push_back(std::move(delegation)); });
    exchange_.run();
    EXPECT_EQ(found.size(), 1U);
    return found.at(0);
  }

  ParentDs check_parent_ds(const std::string& zone = "example.com") {
    std::vector<ParentDs> found;
    check_ds(exchange_, filter_, 53, name(zone),
             [&](ParentDs ds) { found.push_back(std::move(ds)); });
    exchange_.run();
    EXPECT_EQ(found.size(), 1U);
    return found.at(0);
  }

  const Question kParent{name("com"), model::kTypeNs};
  const Question kZone{name("example.com"), model::kTypeNs};
  const Question kDs{name("example.com"), model::kTypeDs};
  AddressFilter filter_;
  ScriptedExchange exchange_;
};

TEST_F(DelegationTest, ReadsTheReferralOfAParentsServer) {
  exchange_.script_at("203.0.113.2", Message(kZone)
                                         .authority("example.com. 300 NS ns2.brink.test.")
                                         .authority("example.com. 300 NS NS1.brink.test."));
  const Delegation found = check();
  EXPECT_EQ(found.kind, Kind::kFound) << found.reason;
  EXPECT_EQ(found.servers, (std::vector{name("ns1.brink.test"), name("ns2.brink.test")}));
}

TEST_F(DelegationTest, AsksTheNextServerWhenOneIsSilentOrLame) {
  exchange_.script_at("203.0.113.2", Message(kZone).rcode(5));
  exchange_.script_at("203.0.113.1",
                      Message(kZone).authority("example.com. 300 NS ns1.brink.test."));
  EXPECT_EQ(check().kind, Kind::kFound);
  EXPECT_EQ(exchange_.asked_at.size(), 2U);
}

TEST_F(DelegationTest, KnowsThatThereIsNoDelegation) {
  exchange_.script_at("203.0.113.2", Message(kZone).authoritative().rcode(3).authority(
                                         "com. 300 SOA a.tld. host.tld. 1 2 3 4 5"));
  EXPECT_EQ(check().kind, Kind::kAbsent);
}

TEST_F(DelegationTest, SaysNothingWhenNobodyAnswers) {
  const Delegation found = check();
  EXPECT_EQ(found.kind, Kind::kUnknown);
  EXPECT_NE(found.reason.find("Timeout"), std::string::npos) << found.reason;
}

TEST_F(DelegationTest, SaysNothingWhenTheResolverFails) {
  exchange_.script(kParent, Message(kParent).rcode(2));
  EXPECT_EQ(check().kind, Kind::kUnknown);
}

TEST_F(DelegationTest, PassesNamesThatAreNoZones) {
  const Question between{name("co.com"), model::kTypeNs};
  exchange_.script(between, Message(between).authority("com. 9 SOA a.tld. h.tld. 1 2 3 4 5"));
  exchange_.script_at("203.0.113.2",
                      Message(kZone).authority("example.co.com. 300 NS ns1.brink.test."));
  const Delegation found = check("example.co.com");
  EXPECT_EQ(found.kind, Kind::kFound) << found.reason;
}

TEST_F(DelegationTest, FollowsAReferralToAZoneBetween) {
  const Question between{name("co.com"), model::kTypeNs};
  exchange_.script(between, Message(between).authority("com. 9 SOA a.tld. h.tld. 1 2 3 4 5"));
  exchange_.script_at("203.0.113.2", Message(kZone).authority("co.com. 300 NS ns.co.com."));
  script_address("ns.co.com", "203.0.113.9");
  exchange_.script_at("203.0.113.9",
                      Message(kZone).authority("example.co.com. 300 NS ns1.brink.test."));
  EXPECT_EQ(check("example.co.com").kind, Kind::kFound);
}

TEST_F(DelegationTest, DoesNotFollowReferralsUpOrSideways) {
  exchange_.script_at("203.0.113.2", Message(kZone).authority(". 300 NS a.root."));
  exchange_.script_at("203.0.113.1", Message(kZone).authority("other.com. 300 NS ns1.other.com."));
  EXPECT_EQ(check().kind, Kind::kUnknown);
}

TEST_F(DelegationTest, ReadsTheParentsDsRecords) {
  exchange_.script_at("203.0.113.2", Message(kDs)
                                         .authoritative()
                                         .answer("example.com. 300 DS 2 13 2 " + kDigest)
                                         .answer("example.com. 300 DS 1 13 2 " + kDigest)
                                         .answer("other.com. 300 DS 3 13 2 " + kDigest));
  const ParentDs found = check_parent_ds();
  ASSERT_TRUE(found.known) << found.reason;
  ASSERT_EQ(found.rdata.size(), 2U);
  EXPECT_EQ(found.rdata[0].substr(0, 4), std::string("\0\1\x0d\2", 4));
  EXPECT_EQ(found.rdata[1].substr(0, 4), std::string("\0\2\x0d\2", 4));
}

TEST_F(DelegationTest, KnowsThatTheParentHasNoDs) {
  exchange_.script_at("203.0.113.2", Message(kDs).authoritative().authority(
                                         "com. 300 SOA a.tld. host.tld. 1 2 3 4 5"));
  const ParentDs found = check_parent_ds();
  EXPECT_TRUE(found.known) << found.reason;
  EXPECT_TRUE(found.rdata.empty());
}

TEST_F(DelegationTest, TakesNoWordOnDsFromTheZoneItself) {
  exchange_.script_at("203.0.113.2", Message(kDs).authoritative().authority(
                                         "example.com. 300 SOA a.tld. host.tld. 1 2 3 4 5"));
  exchange_.script_at("203.0.113.1", Message(kDs).answer("example.com. 300 DS 1 13 2 " + kDigest));
  const ParentDs found = check_parent_ds();
  EXPECT_FALSE(found.known);
  EXPECT_EQ(exchange_.asked_at.size(), 2U);
}

TEST_F(DelegationTest, FollowsAReferralToTheDs) {
  const Question between{name("co.com"), model::kTypeNs};
  exchange_.script(between, Message(between).authority("com. 9 SOA a.tld. h.tld. 1 2 3 4 5"));
  exchange_.script_at("203.0.113.2", Message(kDs).authority("co.com. 300 NS ns.co.com."));
  script_address("ns.co.com", "203.0.113.9");
  exchange_.script_at("203.0.113.9", Message(kDs).authoritative().answer(
                                         "example.co.com. 300 DS 1 13 2 " + kDigest));
  EXPECT_EQ(check_parent_ds("example.co.com").rdata.size(), 1U);
}

TEST_F(DelegationTest, SaysNothingAboutDsWhenNobodyAnswers) {
  const ParentDs found = check_parent_ds();
  EXPECT_FALSE(found.known);
  EXPECT_NE(found.reason.find("Timeout"), std::string::npos) << found.reason;
}

TEST_F(DelegationTest, AsksNoServerInside) {
  script_address("a.tld", "127.0.0.1");
  script_address("b.tld", "10.0.0.1");
  exchange_.script_at("127.0.0.1", Message(kZone).authority("example.com. 300 NS ns1.brink.test."));
  EXPECT_EQ(check().kind, Kind::kUnknown);
  EXPECT_TRUE(exchange_.asked_at.empty());
}

}  // namespace
}  // namespace brink::ctl::resolve
