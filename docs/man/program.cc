#include "docs/man/program.h"

#include "docs/man/page.h"

namespace brink::manual {
namespace {

namespace po = boost::program_options;

// "auto" of "arg (=auto)"; empty: no default.
std::string default_of(const po::option_description& option) {
  const std::string text = option.format_parameter();
  const std::size_t start = text.find("(=");
  return start == std::string::npos ? "" : text.substr(start + 2, text.rfind(')') - start - 2);
}

std::string sentence_of(const po::option_description& option) {
  const std::string value = default_of(option);
  const bool has_default = option.format_parameter().find("(=") != std::string::npos;
  std::string text = option.description() + ".";
  if (has_default) text += value.empty() ? " Default: empty." : " Default: " + value + ".";
  return text;
}

std::string head_of(const po::option_description& option) {
  const std::string name = "--" + option.long_name();
  return option.semantic()->max_tokens() == 0 ? name : name + " VALUE";
}

}  // namespace

std::string program_page(const Program& program) {
  Page page(program.name, 8, program.summary);
  page.section("SYNOPSIS");
  page.paragraph(program.name + " " + program.arguments);
  page.section("DESCRIPTION");
  page.paragraph(program.description);
  page.section("OPTIONS");
  for (const auto& option : program.general.options()) {
    page.item(head_of(*option), option->description() + ".");
  }
  page.item("--SETTING VALUE",
            "Any setting of " + program.name + ".conf(5); the command line wins over the file.");
  page.section("SIGNALS");
  page.paragraph(program.signals);
  page.section("EXIT STATUS");
  page.item("0", "stopped by a signal, or nothing to run was asked for");
  page.item("1", "it could not start or go on");
  page.item("2", "wrong command line or settings; standard error names setting, value and remedy");
  page.section("FILES");
  page.item(program.file, "settings, see " + program.name + ".conf(5)");
  page.section("SEE ALSO");
  page.paragraph("brinkctl(1), " + program.name + ".conf(5)");
  return page.text();
}

std::string settings_page(const Program& program) {
  Page page(program.name + ".conf", 5, "settings of " + program.name);
  page.section("DESCRIPTION");
  page.paragraph(program.file_format);
  page.lines(program.example);
  page.paragraph("brinkctl check tells what is wrong with a file, and in which line.");
  page.section("SETTINGS");
  for (const auto& option : program.settings.options()) {
    page.item(option->long_name(), sentence_of(*option));
  }
  page.section("FILES");
  page.item(program.file, "where brinkctl check looks for it");
  page.section("SEE ALSO");
  page.paragraph(program.name + "(8), brinkctl(1)");
  return page.text();
}

}  // namespace brink::manual
