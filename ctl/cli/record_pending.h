// record set, add and delete within an open transaction: what they make of the zone's lines.
#pragma once

#include <optional>
#include <string>

#include "ctl/cli/command.h"
#include "ctl/cli/zone_text.h"

namespace brink::ctl::cli {

// A record as the command line describes it.
struct RecordWish {
  model::DomainName zone;
  std::string name, type;              // type empty: all of the name
  std::optional<std::string> content;  // none: of those that are there
  Json options;                        // members that are set, as the API calls them
};

// Each returns the entries afterwards, and throws Stop when there is nothing that could be meant.
Entries with_added(Entries entries, const RecordWish& wish);
// CONTENT becomes the only one of name and type; without it, the options of all of them change.
Entries with_set(Entries entries, const RecordWish& wish);
Entries with_removed(Entries entries, const RecordWish& wish);

}  // namespace brink::ctl::cli
