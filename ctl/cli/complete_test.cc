// What the shells are told, without a server.
#include "ctl/cli/complete.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ctl/cli/command_table.h"

namespace brink::ctl::cli {
namespace {

using Texts = std::vector<std::string>;

Texts known_names(const std::string& kind, const std::string&, const LineSoFar& line) {
  if (kind == "ZONE") return {"example.com", "example.net"};
  if (kind == "NAME" && line.options.count("zone") != 0) return {"www." + line.options.at("zone")};
  if (kind == "NAME") return {"www.example.com", "mail.example.com"};
  return {};
}

Texts complete_to(const Texts& words) {
  Texts texts;
  for (const Candidate& each : complete(words, known_names).candidates) texts.push_back(each.text);
  return texts;
}

bool contains(const Texts& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

TEST(Complete, KnowsEveryCommandAndItsOptions) {
  for (const Command* command : all_commands()) {
    const Texts first = complete_to({""});
    Texts words = {command->verb};
    if (command->noun.empty()) {
      EXPECT_TRUE(contains(first, command->verb)) << name_of(*command);
    } else {
      EXPECT_TRUE(contains(first, command->noun)) << name_of(*command);
      EXPECT_TRUE(contains(complete_to({command->noun, ""}), command->verb)) << name_of(*command);
      words.insert(words.begin(), command->noun);
    }
    words.emplace_back("--");
    const Texts options = complete_to(words);
    for (const Option& option : command->options) {
      EXPECT_TRUE(contains(options, "--" + long_name(option))) << name_of(*command) << option.name;
    }
    EXPECT_EQ(options.size(), command->options.size() + common_options().size());
  }
}

TEST(Complete, OffersNothingThatIsNoCommand) {
  for (const std::string& first : complete_to({""})) {
    const Texts verbs = complete_to({first, ""});
    for (const Command* command : all_commands()) {
      if (command->noun != first) continue;
      for (const std::string& verb : verbs) {
        EXPECT_TRUE(std::any_of(
            all_commands().begin(), all_commands().end(),
            [&](const Command* each) { return each->noun == first && each->verb == verb; }))
            << first << " " << verb;
      }
    }
  }
}

TEST(Complete, TakesWhatIsWrittenAlready) {
  EXPECT_EQ(complete_to({"zone", "sh"}), Texts{"show"});
  EXPECT_EQ(complete_to({"zone", "show", "example.n"}), Texts{"example.net"});
  EXPECT_EQ(complete_to({"zone", "show", "example.net", ""}), Texts{});
  EXPECT_EQ(complete_to({"zone", "fly", ""}), Texts{});
}

TEST(Complete, KnowsWhatStandsWhere) {
  EXPECT_EQ(complete_to({"record", "set", "ma"}), Texts{"mail.example.com"});
  EXPECT_EQ(complete_to({"record", "set", "--zone", "example.net", ""}), Texts{"www.example.net"});
  EXPECT_EQ(complete_to({"record", "set", "--zone=example.net", "w"}), Texts{"www.example.net"});
  EXPECT_EQ(complete_to({"--socket", "zone", "zone", "show", "example.c"}), Texts{"example.com"});
}

TEST(Complete, OffersTheValuesOfOptions) {
  EXPECT_EQ(complete_to({"record", "set", "--proxied=o"}),
            (Texts{"--proxied=on", "--proxied=off"}));
  EXPECT_EQ(complete_to({"record", "set", "--zone", "example.c"}), Texts{"example.com"});
  EXPECT_EQ(complete_to({"record", "set", "--zone=example.c"}), Texts{"--zone=example.com"});
}

TEST(Complete, LeavesFilesToTheShell) {
  EXPECT_TRUE(complete({"zone", "import", ""}, known_names).files);
  EXPECT_TRUE(complete({"zone", "export", "--output", ""}, known_names).files);
  EXPECT_TRUE(complete({"check", "a.conf", ""}, known_names).files);
  EXPECT_FALSE(complete({"zone", "show", ""}, known_names).files);
}

TEST(ServerNames, AreNoneWhereNobodyAnswers) {
  LineSoFar line;
  line.options["socket"] = "/nonexistent/brink.sock";
  EXPECT_TRUE(server_names("ZONE", "", line).empty());
  line.options = {{"server", "http://192.0.2.1"}};
  EXPECT_TRUE(server_names("ZONE", "", line).empty());
}

TEST(ServerNames, KnowRecordTypesByThemselves) {
  EXPECT_EQ(server_names("TYPE", "MX", {}), Texts{"MX"});
  EXPECT_TRUE(contains(server_names("TYPE", "", {}), "AAAA"));
  EXPECT_LT(server_names("TYPE", "", {}).size(), 120U);
}

}  // namespace
}  // namespace brink::ctl::cli
