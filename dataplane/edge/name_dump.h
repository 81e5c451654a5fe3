// dump_name: a name as the packet path sees it, for an operator who looks for a fault. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/view.h"

namespace brink::edge {

struct NameDump {
  // How the name stands: "exact", "wildcard", "delegation", "empty", "nxdomain" or "refused".
  std::string standing;
  // A transaction that would put the record that answers, and its zone, as they are; empty when
  // nothing answers.
  std::vector<std::uint8_t> transaction;
};

// `name` in wire form. Fails if it is malformed.
base::Result<NameDump> dump_name(const snapshot::View& view, std::span<const std::uint8_t> name);

}  // namespace brink::edge
