// Nothing in the tables without its entry in the manual, and no entry without a place in a table.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "ctl/cli/command_table.h"
#include "docs/man/brinkctl.h"
#include "docs/man/page.h"
#include "docs/man/program.h"

namespace brink::manual {
namespace {

// Heads of the items or subsections of a page, as people read them.
std::set<std::string> heads(const std::string& page, const std::string& mark) {
  std::set<std::string> found;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark)) continue;
    std::string head = line.substr(mark.size());
    for (std::size_t at; (at = head.find("\\-")) != std::string::npos;) head.erase(at, 1);
    if (head.ends_with("\\fR")) head.resize(head.size() - 3);
    found.insert(head);
  }
  return found;
}

TEST(Manual, HasEveryCommandOfBrinkctlAndNoOther) {
  const std::string page = brinkctl_page();
  std::set<std::string> commands, options;
  for (const ctl::cli::Command* command : ctl::cli::all_commands()) {
    commands.insert("brinkctl " + synopsis(*command));
    for (const auto& option : command->options) options.insert("--" + long_name(option));
  }
  EXPECT_EQ(heads(page, ".SS "), commands);
  std::string all;
  for (const std::string& head : heads(page, "\\fB")) all += head + "\n";
  for (const std::string& option : options)
    EXPECT_NE(all.find(option), std::string::npos) << option;
}

TEST(Manual, HasEverySettingOfTheProgramsAndNoOther) {
  for (const Program& program : {brink_control(), brink_edge()}) {
    std::set<std::string> settings = {program.file};
    for (const auto& option : program.settings.options()) settings.insert(option->long_name());
    EXPECT_GT(settings.size(), 20U);
    EXPECT_EQ(heads(settings_page(program), "\\fB"), settings);
    const auto options = heads(program_page(program), "\\fB");
    for (const auto& option : program.general.options()) {
      const std::string name = "--" + option->long_name();
      EXPECT_TRUE(options.count(name) + options.count(name + " VALUE") == 1) << name;
    }
  }
}

TEST(Manual, TellsDefaults) {
  const std::string page = settings_page(brink_edge());
  EXPECT_NE(page.find("\\fBeal.hugepages\\fR\nauto, required or off.\nDefault: auto.\n"),
            std::string::npos);
}

TEST(Page, KeepsWhatRoffWouldTakeForItsOwn) {
  Page page("a-b", 1, "x");
  page.paragraph(".dot \\n 'quote");
  page.lines("'start\n--flag");
  EXPECT_NE(page.text().find("\\&.dot \\en 'quote\n"), std::string::npos) << page.text();
  EXPECT_NE(page.text().find("\n\\&'start\n\\-\\-flag\n"), std::string::npos) << page.text();
}

}  // namespace
}  // namespace brink::manual
