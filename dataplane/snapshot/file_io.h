// Whole reads and writes of files, and the crash-safe replacement of one. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/result.h"

namespace brink::snapshot {

// The error that errno describes.
base::Error system_error(const std::string& what, const std::string& where,
                         const std::string& remedy = "");

// False: see errno.
bool write_whole(int fd, std::span<const std::uint8_t> bytes);
// False: see errno, which is 0 when the file is too short.
bool read_whole(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset);

// Makes what happened to the names in the directory of `path` last.
base::Result<void> flush_directory_of(const std::string& path);

}  // namespace brink::snapshot
