// Why what a name or a zone is to have may not be stored; empty: it may. Cold.
#pragma once

#include <string>

#include "dataplane/snapshot/change_sink.h"

namespace brink::snapshot {

std::string fault_of(const NameContents& contents);
std::string fault_of(const ZoneContents& contents);

}  // namespace brink::snapshot
