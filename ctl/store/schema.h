// The store's schema as numbered migrations. A migration that has been released never changes.
#pragma once

#include "ctl/store/sqlite.h"
#include "dataplane/base/result.h"

namespace brink::ctl::store {

// Brings the database to the newest schema, each migration in a transaction of its own. Refuses a
// store that a newer program has written.
base::Result<void> migrate(Database& database);

}  // namespace brink::ctl::store
