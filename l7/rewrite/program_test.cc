// Steps one by one, and programs that are none. What expressions mean is tested against their
// definition in ctl/compile/rules_test.cc.
#include "l7/rewrite/program.h"

#include <gtest/gtest.h>

#include <random>

#include "l7/rewrite/rules.h"
#include "l7/rewrite/rules_fixture.h"

namespace brink::l7::rewrite {
namespace {

using render::RulesWriter;
using route::Comparison;
using route::ProgramRef;
using route::RuleField;
using route::StepKind;

base::IpAddress address(std::string_view text) {
  return *base::IpAddress::parse(text);
}

ClientCertificate certificate() {
  ClientCertificate made;
  made.is_presented = made.is_verified = made.is_revoked = true;
  made.sha1 = "sha1";
  made.sha256 = "sha256";
  made.subject_dn = "CN=client";
  made.issuer_dn = "CN=issuer";
  made.serial = "0a";
  made.issuer_serial = "0b";
  made.key_id = "0c";
  made.issuer_key_id = "0d";
  made.not_before = "before";
  made.not_after = "after";
  made.rfc9440 = ":YQ==:";
  made.chain_rfc9440 = ":Yg==:";
  made.is_rfc9440_too_large = made.is_chain_rfc9440_too_large = true;
  return made;
}

class Program : public ::testing::Test {
 protected:
  Program() {
    facts_.method = "GET";
    facts_.host = "www.example.com";
    facts_.target = "/a/B?c=d?e";
    facts_.user_agent = "curl/8";
    facts_.client = address("192.0.2.7");
    facts_.status = 404;
  }

  template <typename Write>
  ProgramVerdict verdict(Write write, bool wants_text = false) {
    RulesWriter writer(route::RulePhase::kFirewall);
    program_ = writer.program([&] { write(writer); });
    writer.add_block(program_, {});
    const auto blob = writer.finish();
    EXPECT_TRUE(blob.ok());
    rules_.emplace(blob.value());
    return run(wants_text);
  }
  ProgramVerdict run(bool wants_text) {
    const auto view = rules_->view();
    if (!view) return ProgramVerdict::kBroken;
    TextArena arena(room_);
    if (!wants_text) return run_condition(*view, program_, facts_, arena, flag_);
    std::string_view text;
    const auto verdict = run_text(*view, program_, facts_, arena, text);
    text_ = text;
    return verdict;
  }
  template <typename Write>
  bool holds(Write write) {
    EXPECT_EQ(verdict(write), ProgramVerdict::kDone);
    return flag_;
  }
  template <typename Write>
  std::string text(Write write) {
    EXPECT_EQ(verdict(write, true), ProgramVerdict::kDone);
    return text_;
  }
  std::string field(RuleField field) {
    return text([&](RulesWriter& writer) {
      writer.field(field);
      writer.apply(StepKind::kToText);
    });
  }

  Facts facts_;
  std::vector<char> room_ = std::vector<char>(256);
  std::optional<LoadedRules> rules_;
  ProgramRef program_;
  bool flag_ = false;
  std::string text_;
};

TEST_F(Program, KnowsEveryFieldOfARequest) {
  EXPECT_EQ(field(RuleField::kHost), "www.example.com");
  EXPECT_EQ(field(RuleField::kMethod), "GET");
  EXPECT_EQ(field(RuleField::kUri), "/a/B?c=d?e");
  EXPECT_EQ(field(RuleField::kPath), "/a/B");
  EXPECT_EQ(field(RuleField::kQuery), "c=d?e");
  EXPECT_EQ(field(RuleField::kFullUri), "http://www.example.com/a/B?c=d?e");
  EXPECT_EQ(field(RuleField::kVersion), "HTTP/1.1");
  EXPECT_EQ(field(RuleField::kResponseCode), "404");
  EXPECT_EQ(field(RuleField::kUserAgent), "curl/8");
  EXPECT_EQ(field(RuleField::kClientAddress), "192.0.2.7");
  EXPECT_EQ(field(RuleField::kTls), "false");
  facts_.is_tls = true;
  facts_.target = "/a";
  facts_.version = http::Version::http_2;
  facts_.client = address("2001:db8::1");
  facts_.user_agent = {};
  EXPECT_EQ(field(RuleField::kTls), "true");
  EXPECT_EQ(field(RuleField::kFullUri), "https://www.example.com/a");
  EXPECT_EQ(field(RuleField::kPath), "/a");
  EXPECT_EQ(field(RuleField::kQuery), "");
  EXPECT_EQ(field(RuleField::kVersion), "HTTP/2");
  EXPECT_EQ(field(RuleField::kClientAddress), "2001:db8::1");
  EXPECT_EQ(field(RuleField::kUserAgent), "");
}

TEST_F(Program, KnowsEveryFieldOfACertificate) {
  const std::pair<RuleField, std::string> kTexts[] = {
      {RuleField::kCertFingerprintSha1, "sha1"},
      {RuleField::kCertFingerprintSha256, "sha256"},
      {RuleField::kCertSubjectDn, "CN=client"},
      {RuleField::kCertIssuerDn, "CN=issuer"},
      {RuleField::kCertSerial, "0a"},
      {RuleField::kCertIssuerSerial, "0b"},
      {RuleField::kCertSki, "0c"},
      {RuleField::kCertIssuerSki, "0d"},
      {RuleField::kCertNotBefore, "before"},
      {RuleField::kCertNotAfter, "after"},
      {RuleField::kCertRfc9440, ":YQ==:"},
      {RuleField::kCertChainRfc9440, ":Yg==:"},
  };
  const RuleField kFlags[] = {RuleField::kCertPresented, RuleField::kCertVerified,
                              RuleField::kCertRevoked, RuleField::kCertRfc9440TooLarge,
                              RuleField::kCertChainRfc9440TooLarge};
  const ClientCertificate made = certificate();
  facts_.certificate = &made;
  for (const auto& [each, value] : kTexts) EXPECT_EQ(field(each), value);
  for (const RuleField each : kFlags) EXPECT_EQ(field(each), "true");
  facts_.certificate = nullptr;
  for (const auto& [each, value] : kTexts) EXPECT_EQ(field(each), "");
  for (const RuleField each : kFlags) EXPECT_EQ(field(each), "false");
}

TEST_F(Program, AnAsteriskTakesAsLittleAsItMay) {
  const auto fits = [&](std::string_view pattern, std::string_view text, bool strict = true) {
    return holds([&](RulesWriter& writer) {
      writer.text(text);
      writer.wildcard(pattern, strict);
    });
  };
  EXPECT_TRUE(fits("a*b*c", "a--b-b-c"));
  EXPECT_FALSE(fits("a*b*c", "a--b-b-"));
  EXPECT_FALSE(fits("ab*ba", "aba")) << "an octet stands for one of the pattern only";
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("", ""));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_TRUE(fits(R"(a\*b)", "a*b"));
  EXPECT_FALSE(fits(R"(a\*b)", "axb"));
  EXPECT_TRUE(fits("*.Example.*", "WWW.eXAMPLE.com", false));
  EXPECT_FALSE(fits("*.Example.*", "WWW.eXAMPLE.com"));
}

// Short texts and long ones are searched in different ways.
TEST_F(Program, FindsATextWhereverItIs) {
  const auto contains = [&](const std::string& text, std::string_view part) {
    return holds([&](RulesWriter& writer) {
      writer.text(text);
      writer.contains(part);
    });
  };
  for (const std::size_t size : {2U, 127U, 128U, 129U, 1000U}) {
    const std::string text = "<" + std::string(size - 2, '-') + ">";
    EXPECT_TRUE(contains(text, "")) << size;
    EXPECT_TRUE(contains(text, "<")) << size;
    EXPECT_TRUE(contains(text, text)) << size;
    EXPECT_TRUE(contains(text, std::string_view(text).substr(size / 2))) << size;
    EXPECT_FALSE(contains(text, "><")) << size;
    EXPECT_FALSE(contains(text, text + "-")) << size;
  }
}

TEST_F(Program, ASetIsSortedWhateverItsOrder) {
  const auto in_addresses = [&](std::string_view client) {
    facts_.client = address(client);
    return holds([&](RulesWriter& writer) {
      writer.field(RuleField::kClientAddress);
      writer.in(std::vector<std::pair<base::IpAddress, base::IpAddress>>{
          {address("2001:db8::"), address("2001:db8::ffff")},
          {address("203.0.113.0"), address("203.0.113.255")},
          {address("198.51.100.9"), address("198.51.100.20")},
          {address("198.51.100.7"), address("198.51.100.10")},
          {address("::"), address("1::")}});
    });
  };
  for (const char* inside : {"198.51.100.7", "198.51.100.20", "203.0.113.0", "2001:db8::ffff",
                             "::", "::fffe:1", "::1:0:0:0", "1::"}) {
    EXPECT_TRUE(in_addresses(inside)) << inside;
  }
  for (const char* outside : {"198.51.100.6", "198.51.100.21", "203.0.114.0", "2001:db8::1:0",
                              "0.0.0.0", "255.255.255.255", "1::1"}) {
    EXPECT_FALSE(in_addresses(outside)) << outside;
  }
}

TEST_F(Program, WhatIsPutTogetherHasRoomOrIsTooLarge) {
  const auto three = [](RulesWriter& writer) {
    writer.field(RuleField::kUri);
    for (int i = 0; i < 2; ++i) {
      writer.field(RuleField::kUri);
      writer.apply(StepKind::kConcat);
    }
  };
  const std::string target(85, 'x');
  facts_.target = target;
  EXPECT_EQ(text(three), target + target + target);
  const std::string longer(86, 'x');
  facts_.target = longer;
  EXPECT_EQ(verdict(three, true), ProgramVerdict::kTooLarge);
}

TEST_F(Program, RefusesWhatIsNoProgram) {
  using enum StepKind;
  const auto broken = [&](auto write) { return verdict(write) == ProgramVerdict::kBroken; };
  EXPECT_TRUE(broken([](RulesWriter&) {})) << "nothing is left";
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.text("a"); })) << "another type is left";
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.flag(true), writer.flag(true); }));
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.number(1), writer.apply(kNot); }));
  EXPECT_TRUE(
      broken([](RulesWriter& writer) { writer.text("a"), writer.compare(Comparison::kEqual, 1); }));
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.flag(true), writer.apply(kXor); }));
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.apply(kDrop); }));
  EXPECT_TRUE(broken([](RulesWriter& writer) { writer.flag(true), writer.jump_if(true); }))
      << "a jump to itself";
  EXPECT_TRUE(broken([](RulesWriter& writer) {
    for (std::size_t i = 0; i <= route::kRuleStackMax; ++i) writer.flag(true);
  }));
}

TEST_F(Program, LeavesNoBlobWhateverIsChangedInIt) {
  ASSERT_TRUE(holds([](RulesWriter& writer) {
    writer.field(RuleField::kPath);
    writer.apply(StepKind::kLower);
    writer.text("/");
    writer.apply(StepKind::kConcat);
    writer.wildcard("/*", false);
    const auto jump = writer.jump_if(false);
    writer.apply(StepKind::kDrop);
    writer.field(RuleField::kClientAddress);
    writer.in(std::vector<std::pair<base::IpAddress, base::IpAddress>>{
        {address("192.0.2.0"), address("192.0.2.255")}});
    writer.land(jump);
  }));
  const std::vector<std::uint8_t> good(rules_->octets().begin(), rules_->octets().end());
  Workspace work;
  Block block;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      rules_->octets()[at] = static_cast<std::uint8_t>(good[at] ^ (1 << bit));
      if (const auto view = rules_->view()) {
        static_cast<void>(run_firewall(*view, facts_, work, block));
        static_cast<void>(run_header_rules(*view, facts_, work));
      }
      rules_->octets()[at] = good[at];
    }
  }
  for (std::size_t size = 0; size < good.size(); size += 8) {
    EXPECT_FALSE(LoadedRules(std::span(good).first(size)).view().has_value());
  }
}

}  // namespace
}  // namespace brink::l7::rewrite
