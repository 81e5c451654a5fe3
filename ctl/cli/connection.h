// From the options that every command has to where brink-control is and who is asking.
#pragma once

#include <map>
#include <string>

#include "ctl/cli/client.h"

namespace brink::ctl::cli {

// `options`: name -> value, of common_options(). Throws Stop.
Connection connection_of(const std::map<std::string, std::string>& options);

}  // namespace brink::ctl::cli
