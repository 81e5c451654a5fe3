// The API's endpoints as text, for whoever compares them with a description of the API.
#pragma once

#include <string>

#include "dataplane/base/result.h"

namespace brink::ctl::daemon {

// A line an endpoint, in the order in which the router looks at them: method, path with its
// variable segments in braces, and what a caller needs: "public", "known", or the name of a
// permission group. Fails when there is no memory for an empty store.
base::Result<std::string> route_table();

}  // namespace brink::ctl::daemon
