// A store is one program's: what brink-control keeps of it in memory would not see what another one
// writes, and both would sign, number and forget.
#pragma once

#include <chrono>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ctl::store {

// Holds the store at `path` until the descriptor is closed, or the process ends in whatever way.
// Fails when another program has held it for all of `patience`: one that was killed a moment ago may
// still be giving its memory back. The lock is `path`.lock: SQLite has locks of its own
// on the store's files, which closing any descriptor of these would drop. Readers need none.
base::Result<base::UniqueFd> lock_store(const std::string& path, std::chrono::milliseconds patience);

}  // namespace brink::ctl::store
