// A zone's settings to and from the one column that keeps them. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "ctl/model/zone.h"

namespace brink::ctl::store {

// One setting a line: name, time of change in microseconds, value; by TAB. JSON that is compact has
// neither TAB nor line feed in it.
std::string join_settings(const model::ZoneSettings& settings);
// Throws Failure when the text is not one of these.
model::ZoneSettings split_settings(std::string_view text);

}  // namespace brink::ctl::store
