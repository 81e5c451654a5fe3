// What a record of the database says about countries. Private to this folder. Hot.
#pragma once

#include <maxminddb.h>

#include <optional>

#include "l7/country/database.h"

namespace brink::l7::country {

// Empty: nothing. `entry` is of a database that is open.
std::optional<Code> code_in(MMDB_entry_s entry) noexcept;

}  // namespace brink::l7::country
