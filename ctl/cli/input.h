// Local files that commands read.
#pragma once

#include <cstdint>
#include <string>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

// All of it; throws Stop(kInputUnreadable).
std::string read_file(const std::string& path);

// A private key in PEM, of a file that only its owner and group can read. Throws Stop: kUsage for a
// key in place of a path, kInputUnreadable for everything else. No message has a part of a key.
std::string read_key_file(const std::string& path);

// The value of an option that is a number; throws Stop(kUsage) when it is none.
std::uint64_t number_of(const Arguments& arguments, const std::string& option);

// What zone a zone file is of: its first $ORIGIN, or the owner of an SOA above it that is written
// with its final dot; else the file's name without ".zone".
std::string zone_name_of(const std::string& path, const std::string& text);

}  // namespace brink::ctl::cli
