// Writes the manual page that its argument names to standard output.
#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "docs/man/brinkctl.h"
#include "docs/man/program.h"

int main(int argc, char** argv) {
  using namespace brink::manual;
  const std::map<std::string, std::function<std::string()>> pages = {
      {"brinkctl.1", brinkctl_page},
      {"brink-control.8", [] { return program_page(brink_control()); }},
      {"brink-control.conf.5", [] { return settings_page(brink_control()); }},
      {"brink-edge.8", [] { return program_page(brink_edge()); }},
      {"brink-edge.conf.5", [] { return settings_page(brink_edge()); }},
  };
  const auto page = pages.find(argc == 2 ? argv[1] : "");
  if (page == pages.end()) {
    for (const auto& [name, write] : pages)
      std::fprintf(stderr, "usage: %s %s\n", argv[0], name.c_str());
    return 2;
  }
  std::fputs(page->second().c_str(), stdout);
  return 0;
}
