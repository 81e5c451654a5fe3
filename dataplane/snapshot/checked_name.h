// Names that a writer is given, before anything is believed of them. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/name.h"

namespace brink::snapshot {

// Makes `key` that of a wire name; false: it is malformed.
bool set_checked_key(NameKey& key, const base::HashKey& hash_key,
                     std::span<const std::uint8_t> name);

// Whether `name` is `apex` or below it.
bool is_inside(const NameKey& name, const NameKey& apex);

// What is wrong about a name.
base::Error refuse(const std::string& what, std::span<const std::uint8_t> name);

}  // namespace brink::snapshot
