// The value of a field. Private to this folder.
#pragma once

#include "l7/rewrite/facts.h"
#include "l7/rewrite/text_arena.h"
#include "l7/rewrite/value.h"

namespace brink::l7::rewrite {

// Borrows from the facts, or from the arena what has to be put together.
Value field_value(route::RuleField field, const Facts& facts, TextArena& arena) noexcept;

}  // namespace brink::l7::rewrite
