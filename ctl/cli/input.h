// Local files that commands read.
#pragma once

#include <string>

namespace brink::ctl::cli {

// All of it; throws Stop(kInputUnreadable).
std::string read_file(const std::string& path);

// What zone a zone file is of: its first $ORIGIN, else the file's name without ".zone".
std::string zone_name_of(const std::string& path, const std::string& text);

}  // namespace brink::ctl::cli
