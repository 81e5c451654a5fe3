// brinkctl: the operator's tool.
#include "ctl/cli/command.h"

int main(int argc, char** argv) {
  return brink::ctl::cli::run({argv + 1, argv + argc});
}
