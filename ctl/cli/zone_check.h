// brinkctl zone check: what is wrong with a zone, in a file or as it is served.
#pragma once

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

void check_zone(Session& session, const Arguments& arguments);

}  // namespace brink::ctl::cli
