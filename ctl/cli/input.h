// Local files that commands read.
#pragma once

#include <string>

namespace brink::ctl::cli {

// All of it; throws Stop(kInputUnreadable).
std::string read_file(const std::string& path);

// A private key in PEM, of a file that only its owner and group can read. Throws Stop: kUsage for a
// key in place of a path, kInputUnreadable for everything else. No message has a part of a key.
std::string read_key_file(const std::string& path);

// What zone a zone file is of: its first $ORIGIN, else the file's name without ".zone".
std::string zone_name_of(const std::string& path, const std::string& text);

}  // namespace brink::ctl::cli
