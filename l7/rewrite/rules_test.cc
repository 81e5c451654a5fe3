#include "l7/rewrite/rules.h"

#include <gtest/gtest.h>

#include "l7/rewrite/kept_facts.h"
#include "l7/rewrite/rules_fixture.h"

namespace brink::l7::rewrite {
namespace {

using render::ChangeSpec;
using render::RulesWriter;
using route::ChangeKind;
using route::Comparison;
using route::ProgramRef;
using route::RuleField;
using route::RulePhase;
using route::StepKind;
using Headers = std::vector<std::pair<std::string, std::string>>;

class Rules : public ::testing::Test {
 protected:
  Rules() {
    facts_.host = "a.test";
    facts_.target = "/x";
  }

  ProgramRef always(RulesWriter& writer, bool flag = true) {
    return writer.program([&] { writer.flag(flag); });
  }
  RunVerdict run(RulesWriter& writer) {
    const auto blob = writer.finish();
    EXPECT_TRUE(blob.ok());
    rules_.emplace(blob.value());
    const auto view = rules_->view();
    return view->phase() == RulePhase::kFirewall ? run_firewall(*view, facts_, *work_, block_)
                                                 : run_header_rules(*view, facts_, *work_);
  }
  Headers put() {
    Headers headers;
    work_->edits.for_each(
        [&](std::string_view name, std::string_view value) { headers.emplace_back(name, value); });
    return headers;
  }

  Facts facts_;
  std::unique_ptr<Workspace> work_ = std::make_unique<Workspace>();
  std::optional<LoadedRules> rules_;
  Block block_;
};

TEST_F(Rules, TheFirstRuleThatHoldsBlocks) {
  RulesWriter writer(RulePhase::kFirewall);
  writer.add_block(always(writer, false), {400, route::BlockContent::kPlain, "not this"});
  writer.add_block(always(writer), {418, route::BlockContent::kJson, "{}"});
  writer.add_block(always(writer), {});
  EXPECT_EQ(run(writer), RunVerdict::kBlocked);
  EXPECT_EQ(block_.status, 418);
  EXPECT_EQ(block_.content_type, "application/json");
  EXPECT_EQ(block_.content, "{}");
}

TEST_F(Rules, WithoutOneThatHoldsARequestPasses) {
  RulesWriter writer(RulePhase::kFirewall);
  writer.add_block(always(writer, false), {});
  EXPECT_EQ(run(writer), RunVerdict::kPassed);
}

TEST_F(Rules, ABlockWithoutAnswerIsTheEdgesOwnPage) {
  RulesWriter writer(RulePhase::kFirewall);
  writer.add_block(always(writer), {});
  EXPECT_EQ(run(writer), RunVerdict::kBlocked);
  EXPECT_EQ(block_.status, 403);
  EXPECT_TRUE(block_.content_type.empty());
}

TEST_F(Rules, SetReplacesAddKeepsRemoveTakesAway) {
  RulesWriter writer(RulePhase::kRequest);
  const auto host = writer.program([&] { writer.field(RuleField::kHost); });
  writer.add_changes(always(writer), {{ChangeKind::kSet, "X-Set", "1"},
                                      {ChangeKind::kAdd, "X-Add", host},
                                      {ChangeKind::kRemove, "X-Gone", {}}});
  EXPECT_EQ(run(writer), RunVerdict::kPassed);
  EXPECT_EQ(put(), (Headers{{"X-Set", "1"}, {"X-Add", "a.test"}}));
  EXPECT_TRUE(work_->edits.takes_away("x-SET"));
  EXPECT_FALSE(work_->edits.takes_away("X-Add"));
  EXPECT_TRUE(work_->edits.takes_away("x-gone"));
  EXPECT_FALSE(work_->edits.takes_away("x-other"));
  EXPECT_FALSE(work_->edits.takes_away("x-gon"));
  EXPECT_FALSE(work_->edits.takes_away("x-gone2"));
}

TEST_F(Rules, LaterRulesSeeWhatEarlierOnesPut) {
  RulesWriter writer(RulePhase::kResponse);
  writer.add_changes(always(writer), {{ChangeKind::kAdd, "a", "1"}, {ChangeKind::kSet, "b", "1"}});
  writer.add_changes(always(writer), {{ChangeKind::kAdd, "A", "2"}, {ChangeKind::kSet, "B", "2"}});
  writer.add_changes(always(writer, false), {{ChangeKind::kRemove, "A", {}}});
  writer.add_changes(always(writer), {{ChangeKind::kAdd, "c", "1"}});
  writer.add_changes(always(writer), {{ChangeKind::kRemove, "C", {}}});
  EXPECT_EQ(run(writer), RunVerdict::kPassed);
  EXPECT_EQ(put(), (Headers{{"a", "1"}, {"A", "2"}, {"B", "2"}}));
  EXPECT_TRUE(work_->edits.takes_away("c"));
}

TEST_F(Rules, AnEmptyValueIsNoHeader) {
  RulesWriter writer(RulePhase::kRequest);
  const auto agent = writer.program([&] { writer.field(RuleField::kUserAgent); });
  writer.add_changes(always(writer),
                     {{ChangeKind::kSet, "a", agent}, {ChangeKind::kAdd, "b", agent}});
  EXPECT_EQ(run(writer), RunVerdict::kPassed);
  EXPECT_TRUE(put().empty());
  EXPECT_TRUE(work_->edits.takes_away("a"));
  EXPECT_FALSE(work_->edits.takes_away("b"));
}

TEST_F(Rules, AValueThatWouldEndItsHeaderIsNotSent) {
  for (const char* value : {"a\r\nb: c", "a\nb", "a\x7f"}) {
    RulesWriter writer(RulePhase::kRequest);
    writer.add_changes(always(writer), {{ChangeKind::kSet, "a", std::string(value)}});
    EXPECT_EQ(run(writer), RunVerdict::kBroken);
    EXPECT_TRUE(put().empty());
  }
  RulesWriter writer(RulePhase::kRequest);
  writer.add_changes(always(writer), {{ChangeKind::kSet, "a\r\nb", "c"}});
  EXPECT_EQ(run(writer), RunVerdict::kBroken);
}

TEST_F(Rules, WhatDoesNotFitIsTooLarge) {
  const std::string target = "/" + std::string(16'000, 'x');
  facts_.target = target;
  RulesWriter writer(RulePhase::kRequest);
  for (int i = 0; i < 5; ++i) {
    const auto upper = writer.program([&] {
      writer.field(RuleField::kUri);
      writer.apply(StepKind::kUpper);
    });
    writer.add_changes(always(writer), {{ChangeKind::kSet, "a" + std::to_string(i), upper}});
  }
  EXPECT_EQ(run(writer), RunVerdict::kTooLarge);
  EXPECT_TRUE(put().empty());
}

// What conditions put together is gone when they are over.
TEST_F(Rules, ConditionsShareTheirRoom) {
  const std::string target = "/" + std::string(16'000, 'x');
  facts_.target = target;
  RulesWriter writer(RulePhase::kFirewall);
  for (int i = 0; i < 50; ++i) {
    const auto condition = writer.program([&] {
      writer.field(RuleField::kUri);
      writer.apply(StepKind::kUpper);
      writer.compare(Comparison::kEqual, "no");
    });
    writer.add_block(condition, {});
  }
  EXPECT_EQ(run(writer), RunVerdict::kPassed);
}

TEST_F(Rules, MoreThanThereIsRoomForIsNotRendered) {
  const auto what = [&](RulesWriter& writer) {
    const auto blob = writer.finish();
    return blob ? "rendered" : blob.error().what;
  };
  RulesWriter names(RulePhase::kRequest), changes(RulePhase::kRequest), steps(RulePhase::kFirewall),
      octets(RulePhase::kRequest);
  for (std::size_t i = 0; i <= route::kRuleNamesMax; ++i) {
    names.add_changes(always(names), {{ChangeKind::kSet, "a" + std::to_string(i), "1"}});
  }
  EXPECT_EQ(what(names), "different headers");
  const std::vector<ChangeSpec> many(route::kRuleChangesMax + 1, {ChangeKind::kAdd, "a", "1"});
  changes.add_changes(always(changes), many);
  EXPECT_EQ(what(changes), "changes of headers");
  const auto condition = steps.program([&] {
    for (std::size_t i = 0; i <= route::kRuleStepsMax; ++i) steps.flag(true);
  });
  steps.add_block(condition, {});
  EXPECT_EQ(what(steps), "operations");
  for (char c = 'a'; c < 'g'; ++c) {
    octets.add_changes(always(octets), {{ChangeKind::kSet, "a", std::string(50'000, c)}});
  }
  EXPECT_EQ(what(octets), "octets");
}

TEST(KeptFacts, AreThoseOfTheRequest) {
  Facts facts;
  facts.method = "GET";
  facts.host = "a.test";
  facts.target = "/x?y";
  facts.user_agent = "curl";
  facts.version = http::Version::http_2;
  facts.is_tls = true;
  facts.client = *base::IpAddress::parse("192.0.2.1");
  std::array<char, 17> room;
  KeptFacts kept;
  EXPECT_FALSE(kept.keep(facts, std::span(room).first(16)));
  ASSERT_TRUE(kept.keep(facts, room));
  const Facts again = kept.facts(room);
  EXPECT_EQ(again.method, facts.method);
  EXPECT_EQ(again.host, facts.host);
  EXPECT_EQ(again.target, facts.target);
  EXPECT_EQ(again.user_agent, facts.user_agent);
  EXPECT_EQ(again.version, facts.version);
  EXPECT_TRUE(again.is_tls);
  EXPECT_EQ(again.client, facts.client);
}

}  // namespace
}  // namespace brink::l7::rewrite
