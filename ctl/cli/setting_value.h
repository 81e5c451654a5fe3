// Settings by one level of names, "soa.expire", and their values on a command line.
#pragma once

#include <string>

#include "ctl/cli/client.h"

namespace brink::ctl::cli {

// Adds to `flat` what is in `value`, by its names behind `name`: "soa.expire" of
// {"soa":{"expire":...}}.
void flatten(const std::string& name, const Json& value, Json& flat);
// The other way round: {"soa":{"expire":604800}}.
Json nested(const std::string& name, const Json& value);

// Strings bare, all else as JSON.
std::string value_text(const Json& value);
// As JSON where it is JSON; else the text.
Json value_of(const std::string& text);

}  // namespace brink::ctl::cli
