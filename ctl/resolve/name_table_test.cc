// The table by a scripted clock: every question that is due is answered by the test.
#include "ctl/resolve/name_table.h"

#include <gtest/gtest.h>

#include "ctl/resolve/message_fixture.h"

namespace brink::ctl::resolve {
namespace {

const model::DomainName kShop = name("shop.example.net");

Answer addresses(std::vector<std::string> texts, std::uint32_t ttl_s) {
  Answer answer;
  answer.kind = Answer::Kind::kAddresses;
  answer.ttl_s = ttl_s;
  for (const auto& text : texts) answer.addresses.push_back(address(text));
  return answer;
}

Answer nothing(std::uint32_t ttl_s) {
  Answer answer;
  answer.kind = Answer::Kind::kNothing;
  answer.ttl_s = ttl_s;
  answer.reason = "there is no such name";
  return answer;
}

Answer alias(const std::string& to, std::uint32_t ttl_s) {
  Answer answer;
  answer.kind = Answer::Kind::kAlias;
  answer.alias = name(to);
  answer.links = 1;
  answer.ttl_s = ttl_s;
  return answer;
}

class NameTableTest : public ::testing::Test {
 protected:
  NameTableTest() {
    limits_.stale_max = seconds(1000);
    make();
  }
  void make() {
    table_ = std::make_unique<NameTable>(
        limits_, AddressFilter({*Prefix::parse("203.0.113.0/24")}, {address("203.0.113.140")}));
  }
  // Answers everything that is due: A with `v4`, AAAA with `v6`. Returns how many questions.
  std::size_t answer_due(const Answer& v4, const Answer& v6 = nothing(300)) {
    const auto questions = table_->due(now_);
    for (const Question& question : questions) {
      table_->take(question, question.type == model::kTypeA ? v4 : v6, now_);
    }
    return questions.size();
  }
  std::vector<std::string> told() {
    std::vector<std::string> list;
    for (const Resolved& each : table_->changes(now_)) {
      std::string text = each.name.text();
      for (const auto& one : each.addresses) text += " " + std::string(one.text().view());
      list.push_back(text + " " + std::to_string(each.ttl_s));
    }
    return list;
  }
  using Told = std::vector<std::string>;
  void pass(int s) { now_ += seconds(s); }
  NameState state() { return table_->status(now_).at(0).state; }

  TableLimits limits_;
  std::unique_ptr<NameTable> table_;
  Time now_{seconds(5000)};
};

TEST_F(NameTableTest, AsksForBothFamiliesAndTellsOnce) {
  table_->use({kShop}, now_);
  const auto questions = table_->due(now_);
  ASSERT_EQ(questions.size(), 2U);
  table_->take(questions[0], addresses({"203.0.113.9"}, 300), now_);
  EXPECT_EQ(told(), Told());  // the other family may have something to say
  EXPECT_FALSE(table_->is_settled(kShop));
  table_->take(questions[1], nothing(300), now_);
  EXPECT_TRUE(table_->is_settled(kShop));
  EXPECT_EQ(told(), Told{"shop.example.net 203.0.113.9 300"});
  EXPECT_EQ(told(), Told());
}

TEST_F(NameTableTest, RefreshesBeforeTheEndAndKeepsQuietAboutTheSame) {
  table_->use({kShop}, now_);
  answer_due(addresses({"203.0.113.9"}, 300));
  told();
  pass(269);
  EXPECT_EQ(table_->due(now_).size(), 0U);
  EXPECT_EQ(*table_->next_due(), now_ + seconds(1));
  pass(1);
  EXPECT_EQ(answer_due(addresses({"203.0.113.9"}, 120)), 2U);
  EXPECT_EQ(told(), Told());
  pass(108);
  EXPECT_EQ(answer_due(addresses({"203.0.113.7"}, 50)), 1U);
  EXPECT_EQ(told(), Told{"shop.example.net 203.0.113.7 50"});
}

TEST_F(NameTableTest, BringsTtlsIntoRange) {
  table_->use({kShop}, now_);
  answer_due(addresses({"203.0.113.9"}, 1), nothing(0));
  EXPECT_EQ(told(), Told{"shop.example.net 203.0.113.9 30"});
  EXPECT_EQ(*table_->next_due(), now_ + seconds(27));
  pass(27);
  answer_due(addresses({"203.0.113.9"}, 1'000'000), nothing(1'000'000));
  EXPECT_EQ(*table_->next_due(), now_ + seconds(3240));
}

TEST_F(NameTableTest, KeepsTheLastGoodAnswerForALimitedTime) {
  table_->use({kShop}, now_);
  answer_due(addresses({"203.0.113.9"}, 100), nothing(3600));
  told();
  const Time end = now_ + seconds(100);
  EXPECT_EQ(state(), NameState::kFresh);
  while (now_ < end + seconds(999)) {
    answer_due(Answer::failed("timeout"));
    ASSERT_EQ(told(), Told()) << (now_ - end).count();
    now_ = std::min(*table_->next_due(), end + seconds(999));
  }
  EXPECT_EQ(state(), NameState::kStale);
  now_ = std::max(*table_->next_due(), end + seconds(1000));
  answer_due(Answer::failed("timeout"));
  EXPECT_EQ(told(), Told{"shop.example.net 0"});
  EXPECT_EQ(state(), NameState::kFailed);
  EXPECT_EQ(table_->status(now_)[0].problem, "timeout");
}

TEST_F(NameTableTest, RestsLongerAfterEveryFailure) {
  table_->use({kShop}, now_);
  std::vector<long> pauses;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(answer_due(Answer::failed("rcode 2"), Answer::failed("rcode 2")), 2U);
    pauses.push_back(std::chrono::duration_cast<seconds>(*table_->next_due() - now_).count());
    now_ = *table_->next_due();
  }
  EXPECT_EQ(pauses, (std::vector<long>{2, 4, 8, 16, 32, 64, 128, 256, 300, 300}));
  answer_due(addresses({"203.0.113.9"}, 300));
  EXPECT_EQ(told(), (Told{"shop.example.net 203.0.113.9 300"}));
}

TEST_F(NameTableTest, FirstFailureSettlesANameAndSaysThatItLeadsNowhere) {
  table_->use({kShop}, now_);
  answer_due(Answer::failed("timeout"), Answer::failed("timeout"));
  EXPECT_TRUE(table_->is_settled(kShop));
  EXPECT_EQ(told(), Told{"shop.example.net 0"});
}

TEST_F(NameTableTest, TakesAddressesAwayWhenTheNameIsGone) {
  table_->use({kShop}, now_);
  answer_due(addresses({"203.0.113.9"}, 100), nothing(3600));
  told();
  pass(90);
  answer_due(nothing(600));
  EXPECT_EQ(told(), Told{"shop.example.net 0"});
  EXPECT_EQ(table_->counters().negative, 2U);
  EXPECT_EQ(*table_->next_due(), now_ + seconds(540));
}

// Rebinding: the name was harmless when it was entered.
TEST_F(NameTableTest, RefusesTheInsideAndCountsIt) {
  table_->use({kShop}, now_);
  answer_due(addresses({"203.0.113.9"}, 100), nothing(3600));
  told();
  pass(90);
  answer_due(addresses({"127.0.0.1", "203.0.113.140", "203.0.113.9"}, 100));
  EXPECT_EQ(told(), Told());
  EXPECT_EQ(table_->counters().addresses_refused, 2U);
  EXPECT_EQ(table_->status(now_)[0].refused,
            (std::vector{address("127.0.0.1"), address("203.0.113.140")}));
  pass(90);
  answer_due(addresses({"10.0.0.1"}, 100));
  EXPECT_EQ(told(), Told{"shop.example.net 0"});
}

TEST_F(NameTableTest, FollowsAChainOverSeveralMessages) {
  table_->use({kShop}, now_);
  auto questions = table_->due(now_);
  table_->take(questions[0], alias("b.example.org", 40), now_);
  table_->take(questions[1], nothing(300), now_);
  questions = table_->due(now_);
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].name, name("b.example.org"));
  table_->take(questions[0], addresses({"203.0.113.9"}, 300), now_);
  EXPECT_EQ(told(), Told{"shop.example.net 203.0.113.9 40"});
  pass(36);
  questions = table_->due(now_);
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].name, kShop);  // from the start
}

TEST_F(NameTableTest, EndsAChainThatNeverEnds) {
  table_->use({kShop}, now_);
  std::size_t asked = 0;
  for (auto questions = table_->due(now_); !questions.empty(); questions = table_->due(now_)) {
    for (const Question& question : questions) {
      table_->take(question, alias(++asked % 2 == 0 ? "b.example.org" : "c.example.org", 60), now_);
    }
    ASSERT_LT(asked, 100U);
  }
  EXPECT_EQ(state(), NameState::kFailed);
}

TEST_F(NameTableTest, NamesThatMeetAreAskedOnce) {
  table_->use({kShop, name("b.example.org")}, now_);
  auto questions = table_->due(now_);
  ASSERT_EQ(questions.size(), 4U);
  for (const Question& question : questions) {
    if (question.name == kShop) table_->take(question, alias("b.example.org", 60), now_);
  }
  EXPECT_EQ(table_->due(now_).size(), 0U);
  for (const Question& question : questions) {
    if (question.name != kShop) table_->take(question, addresses({"203.0.113.9"}, 60), now_);
  }
  EXPECT_EQ(told().size(), 2U);
}

TEST_F(NameTableTest, BoundsQuestionsInFlightAndNames) {
  limits_.in_flight_max = 3;
  limits_.names_max = 4;
  make();
  std::vector<model::DomainName> names;
  for (int i = 0; i < 6; ++i) names.push_back(name("n" + std::to_string(i) + ".example.net"));
  table_->use(names, now_);
  EXPECT_EQ(table_->size(), 4U);
  EXPECT_EQ(table_->left_out(), 2U);
  const auto questions = table_->due(now_);
  EXPECT_EQ(questions.size(), 3U);
  EXPECT_EQ(table_->due(now_).size(), 0U);
  EXPECT_FALSE(table_->next_due().has_value());
  table_->take(questions[0], nothing(300), now_);
  EXPECT_EQ(table_->due(now_).size(), 1U);
}

TEST_F(NameTableTest, ForgetsWhatIsNotInUse) {
  table_->use({kShop}, now_);
  const auto questions = table_->due(now_);
  table_->use({}, now_);
  for (const Question& question : questions) {
    table_->take(question, addresses({"203.0.113.9"}, 60), now_);
  }
  EXPECT_EQ(told(), Told());
  EXPECT_FALSE(table_->next_due().has_value());
  table_->use({kShop}, now_);
  EXPECT_EQ(answer_due(addresses({"203.0.113.9"}, 60)), 2U);
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(NameTableTest, StartsWithTheLastKnownAnswer) {
  table_->use({kShop}, now_);
  table_->seed({kShop, {address("203.0.113.9")}, 60}, now_);
  answer_due(Answer::failed("timeout"), Answer::failed("timeout"));
  EXPECT_EQ(told(), Told());
  EXPECT_EQ(state(), NameState::kStale);
  EXPECT_EQ(table_->counters().stale, 1U);
  now_ = *table_->next_due();
  answer_due(addresses({"203.0.113.7"}, 60));
  EXPECT_EQ(told(), Told{"shop.example.net 203.0.113.7 60"});
}

TEST_F(NameTableTest, WithdrawsAKnownAddressThatIsNotAdmittedAnyMore) {
  table_->use({kShop}, now_);
  table_->seed({kShop, {address("198.51.100.9")}, 60}, now_);
  EXPECT_EQ(told(), Told{"shop.example.net 0"});
}

}  // namespace
}  // namespace brink::ctl::resolve
