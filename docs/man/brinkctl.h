// The manual page of brinkctl, from its table of commands.
#pragma once

#include <string>

namespace brink::manual {

std::string brinkctl_page();

}  // namespace brink::manual
