#include "docs/man/brinkctl.h"

#include "ctl/cli/command_table.h"
#include "docs/man/page.h"

namespace brink::manual {
namespace {

using ctl::cli::Command;
using ctl::cli::head_of;
using ctl::cli::Option;

void add_command(Page& page, const Command& command) {
  page.subsection("brinkctl " + synopsis(command));
  page.paragraph(command.help);
  for (const Option& option : command.options) page.item(head_of(option), option.help);
}

}  // namespace

std::string brinkctl_page() {
  Page page("brinkctl", 1, "the operator's tool of a Brink node");
  page.section("SYNOPSIS");
  page.paragraph("brinkctl COMMAND [OPTION]...");
  page.section("DESCRIPTION");
  page.paragraph(
      "Zones, records and the node itself, through the API of brink-control: over its UNIX socket, "
      "or from another host over TLS with an API token. A change that returns 0 is stored and "
      "served "
      "by every worker; if the edge is away, standard error says so. Options may stand before and "
      "behind the command.");
  page.section("COMMANDS");
  for (const Command* command : ctl::cli::all_commands()) add_command(page, *command);
  page.section("OPTIONS");
  for (const Option& option : ctl::cli::common_options()) page.item(head_of(option), option.help);
  page.section("EXIT STATUS");
  for (const auto& [code, meaning] : ctl::cli::exit_meanings()) {
    page.item(std::to_string(static_cast<int>(code)), meaning);
  }
  page.section("ENVIRONMENT");
  for (const auto& [name, meaning] : ctl::cli::environment()) page.item(name, meaning);
  page.section("FILES");
  page.item(ctl::cli::kDefaultSocket, "socket of brink-control");
  page.section("SEE ALSO");
  page.paragraph("brink-control(8), brink-control.conf(5), brink-edge(8), brink-edge.conf(5)");
  return page.text();
}

}  // namespace brink::manual
