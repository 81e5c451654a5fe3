// What brink-edge does a second, from two readings of its statistics.
#pragma once

#include <string>

#include "ctl/cli/client.h"

namespace brink::ctl::cli {

// `before` and `after`: answers of /brink/v1/stats, `seconds` apart. An edge that started anew in
// between is taken for one that began with nothing. The result is what brinkctl top --json prints.
Json rates_of(const Json& before, const Json& after, double seconds);

// The same for people: lines without escape sequences.
std::string rates_text(const Json& rates);

// The first `height` lines of a text, each cut to `width` columns, over what a terminal shows now.
std::string screen_text(const std::string& text, std::size_t width, std::size_t height);

}  // namespace brink::ctl::cli
