// The secrets of DNS cookies: an operator's file, the same on every node, or drawn for this run.
// Cold.
#pragma once

#include <string>

#include "dataplane/base/result.h"
#include "dns/guard/cookie.h"

namespace brink::edge {

// One to three lines of 32 hexadecimal digits; empty lines and those that start with # do not
// count. An Error names the file and the line, never what stands there.
base::Result<dns::guard::CookieSecrets> read_cookie_secrets(const std::string& path);

base::Result<dns::guard::CookieSecrets> draw_cookie_secret();

}  // namespace brink::edge
