// Finding what a name on the command line means.
#pragma once

#include <string>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

// The account of --account, by name or id; without it, the only one that the caller sees.
Json find_account(Session& session, const Arguments& arguments);

// The zone of this name; Stop(kNotFound) when there is none.
Json find_zone(Session& session, const std::string& name);

// The zone that `name` lies in: the one with the longest matching name.
Json find_zone_of(Session& session, const std::string& name);

// Path of a zone in the API.
std::string zone_path(const Json& zone);

}  // namespace brink::ctl::cli
