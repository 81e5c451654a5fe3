// TreeKey: a name as octets that sort in the order of the name tree: labels from the root down,
// each ended by 00. All names at or below one are a range of keys. Octets 00 and 01 within a label,
// which no ordinary name has, are written 01 01 and 01 02.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/rdata.h"

namespace brink::ctl::store {

using TreeKey = std::vector<std::uint8_t>;

TreeKey tree_key(const model::DomainName& name);
// The name of a key that tree_key made.
model::DomainName name_of(std::span<const std::uint8_t> key);
// The first key that is greater than those of all names at or below the name of `key`.
TreeKey end_of_subtree(TreeKey key);

// The key of the name that record data points at: CNAME, DNAME, NS, MX, SRV, SVCB, HTTPS. Empty for
// other types, malformed data, and the root, which stands for "none" or for the owner itself.
std::optional<TreeKey> target_key(model::RecordType type, std::span<const std::uint8_t> rdata);

}  // namespace brink::ctl::store
