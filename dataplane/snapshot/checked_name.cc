#include "dataplane/snapshot/checked_name.h"

#include <cstring>

#include "dataplane/snapshot/name_text.h"

namespace brink::snapshot {

bool set_checked_key(NameKey& key, const base::HashKey& hash_key,
                     std::span<const std::uint8_t> name) {
  if (name.empty() || wire_name_size(name) != name.size()) return false;
  set_key(key, hash_key, name.data(), name.size(), name.size());
  return true;
}

bool is_inside(const NameKey& name, const NameKey& apex) {
  // The suffix must start at a label: walk there.
  std::size_t at = 0;
  while (name.size > at + apex.size) at += 1U + name.bytes[at];
  return name.size == at + apex.size && std::memcmp(name.bytes + at, apex.bytes, apex.size) == 0;
}

base::Error refuse(const std::string& what, std::span<const std::uint8_t> name) {
  return {what, "name " + name_text(name), ""};
}

}  // namespace brink::snapshot
