// The verbs of brinkctl zone that change records of a zone together.
#pragma once

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

void edit_zone(Session& session, const Arguments& arguments);
void begin_zone(Session& session, const Arguments& arguments);
void diff_zone(Session& session, const Arguments& arguments);
void commit_changes(Session& session, const Arguments& arguments);
void abort_zone(Session& session, const Arguments& arguments);

}  // namespace brink::ctl::cli
