// The command line without a server; with one it is tested in tests/integration.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "ctl/cli/command_table.h"
#include "ctl/cli/output.h"
#include "ctl/cli/progress.h"

namespace brink::ctl::cli {
namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Outcome run_with(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome{run(arguments), {}, {}};
  std::fflush(stdout);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(CommandLine, HelpListsEveryCommand) {
  const Outcome outcome = run_with({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const Command* command : all_commands()) {
    EXPECT_NE(outcome.out.find("\n  " + synopsis(*command) + " "), std::string::npos)
        << name_of(*command);
  }
  EXPECT_NE(outcome.out.find("exit codes"), std::string::npos);
}

TEST(CommandLine, HelpIsThereAtEveryLevel) {
  const Outcome noun = run_with({"zone", "--help"});
  EXPECT_EQ(noun.code, 0);
  EXPECT_NE(noun.out.find("zone import FILE"), std::string::npos);
  EXPECT_EQ(noun.out.find("record set"), std::string::npos);
  const Outcome verb = run_with({"record", "set", "-h"});
  EXPECT_EQ(verb.code, 0);
  EXPECT_NE(verb.out.find("--proxied"), std::string::npos);
}

TEST(CommandLine, EveryCommandExplainsItselfAndItsOptions) {
  for (const Command* command : all_commands()) {
    std::vector<std::string> words = {command->verb, "--help"};
    if (!command->noun.empty()) words.insert(words.begin(), command->noun);
    const Outcome outcome = run_with(words);
    EXPECT_EQ(outcome.code, 0) << name_of(*command);
    EXPECT_TRUE(outcome.out.starts_with("usage: brinkctl " + synopsis(*command) + "\n"));
    EXPECT_NE(outcome.out.find(command->help), std::string::npos) << name_of(*command);
    for (const Option& option : command->options) {
      EXPECT_NE(outcome.out.find(head_of(option)), std::string::npos) << option.name;
    }
  }
}

TEST(CommandTable, UsageAgreesWithTheNumberOfArguments) {
  for (const Command* command : all_commands()) {
    const auto words = placeholders(*command);
    const bool is_open = !words.empty() && words.back().ends_with("...");
    EXPECT_TRUE(is_open || words.size() == command->positional_max) << name_of(*command);
    const auto optional = std::count(command->usage.begin(), command->usage.end(), '[');
    EXPECT_EQ(words.size() - static_cast<std::size_t>(optional), command->positional_min)
        << name_of(*command);
    EXPECT_LE(summary(*command).size(), 100U) << name_of(*command);
  }
}

TEST(CommandTable, HasEveryNameOnce) {
  std::set<std::string> names;
  for (const Command* command : all_commands()) EXPECT_TRUE(names.insert(name_of(*command)).second);
}

TEST(CommandLine, NothingIsWrongUsage) {
  EXPECT_EQ(run_with({}).code, 2);
  EXPECT_EQ(run_with({"zone"}).code, 2);
}

TEST(CommandLine, NamesWhatIsWrong) {
  Outcome outcome = run_with({"fly"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("\"fly\""), std::string::npos);
  outcome = run_with({"zone", "fly"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("\"zone fly\""), std::string::npos);
  outcome = run_with({"zone", "show"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("usage: brinkctl zone show ZONE"), std::string::npos);
  outcome = run_with({"zone", "list", "--bogus"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("bogus"), std::string::npos);
}

TEST(CommandLine, ChecksNumbersBeforeItAsks) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"snapshot", "rollback", "yesterday"},
        {"snapshot", "rollback", "12x", "--dry-run"},
        {"snapshot", "history", "--limit", "all"},
        {"snapshot", "history", "--before", "-1"},
        {"log", "--limit", "many"}}) {
    const Outcome outcome = run_with(words);
    EXPECT_EQ(outcome.code, 2) << words[2];
    EXPECT_NE(outcome.err.find("not a number"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(run_with({"snapshot", "rollback"}).code, 2);
  EXPECT_EQ(run_with({"snapshot", "show", "a", "b"}).code, 2);
}

TEST(CommandLine, SaysWhichServerCannotBeReached) {
  const Outcome outcome = run_with({"--socket", "/nonexistent/brink.sock", "zone", "list"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.err.find("/nonexistent/brink.sock"), std::string::npos);
}

TEST(CommandLine, SaysWhichFileCannotBeRead) {
  const Outcome outcome = run_with({"zone", "import", "/nonexistent.zone"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_NE(outcome.err.find("/nonexistent.zone"), std::string::npos);
}

TEST(CommandLine, ATokenIsNotSentInTheClear) {
  for (const char* url :
       {"http://192.0.2.1:8053", "http://edge.example.net", "ftp://127.0.0.1", "edge.example.net",
        "https://", "https://a:b", "https://a/b", "https://user@host", "https://:8053"}) {
    const Outcome outcome = run_with({"--server", url, "zone", "list"});
    EXPECT_EQ(outcome.code, 2) << url;
    EXPECT_NE(outcome.err.find(url), std::string::npos) << outcome.err;
  }
  for (const char* url : {"http://127.0.0.1:1", "http://[::1]:1/", "https://127.0.0.1:1"}) {
    EXPECT_EQ(run_with({"zone", "list", "--server", url}).code, 3) << url;
  }
  EXPECT_EQ(run_with({"zone", "list", "--token-file", "/nonexistent"}).code, 2);
}

TEST(CommandLine, ATokenFileIsForItsOwnerAlone) {
  char path[] = "/tmp/brink_token_XXXXXX";
  const int fd = ::mkstemp(path);
  ASSERT_EQ(::write(fd, "s3cret\r\n", 8), 8);
  EXPECT_EQ(read_token_file(path).value(), "s3cret");
  ::fchmod(fd, 0644);
  const Outcome outcome =
      run_with({"--server", "https://127.0.0.1:1", "--token-file", path, "zone", "list"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_NE(outcome.err.find("chmod 600"), std::string::npos);
  EXPECT_EQ(outcome.err.find("s3cret"), std::string::npos);
  ::close(fd);
  ::unlink(path);
  EXPECT_FALSE(read_token_file(path).ok());
}

TEST(ServerUrl, HasHostPortAndScheme) {
  const auto server = parse_server("https://[2001:db8::1]:8053");
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(server.value().host, "2001:db8::1");
  EXPECT_EQ(server.value().port, "8053");
  EXPECT_TRUE(server.value().tls);
  EXPECT_EQ(parse_server("https://[2001:db8::1]").value().port, "443");
  EXPECT_EQ(parse_server("https://edge.example.net/").value().host, "edge.example.net");
  EXPECT_EQ(parse_server("http://localhost").value().port, "80");
}

TEST(CommandLine, VersionNeedsNoServer) {
  EXPECT_EQ(run_with({"version"}).code, 0);
  EXPECT_NE(run_with({"version", "--json"}).out.find("\"version\""), std::string::npos);
}

TEST(Table, AlignsItsColumns) {
  EXPECT_EQ(table({"A", "LONG"}, {{"wide", "x"}, {"b", "y"}}), "A     LONG\nwide  x\nb     y\n");
}

TEST(Duration, IsShort) {
  EXPECT_EQ(duration_text(5), "5s");
  EXPECT_EQ(duration_text(3900), "1h 5m");
  EXPECT_EQ(duration_text(90000), "1d 1h");
}

TEST(Size, HasTheUnitThatFits) {
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(std::uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(percent_text(1, 3), "33.3%");
  EXPECT_EQ(percent_text(0, 0), "0.0%");
}

TEST(Progress, TellsWhatIsKnown) {
  EXPECT_EQ(progress_line(512, 1024, "importing 7 lines", 3),
            "[###############---------------] 50.0%  512 B of 1.0 KiB sent");
  EXPECT_EQ(progress_line(1024, 1024, "importing 7 lines", 63), "importing 7 lines, 1m 3s");
  EXPECT_EQ(progress_line(0, 0, "verifying", 0), "verifying, 0s");
}

TEST(PercentEncode, KeepsNamesAndEncodesTheRest) {
  EXPECT_EQ(percent_encode("a-b.c_d~e"), "a-b.c_d~e");
  EXPECT_EQ(percent_encode("a b&=\"\xc3"), "a%20b%26%3D%22%C3");
}

}  // namespace
}  // namespace brink::ctl::cli
