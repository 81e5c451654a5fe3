// Programs of rules: a stack of values, one step at a time, at most as many steps as there are.
// What is read of the blob is checked as it is read, and so are the stack and the types of what
// lies on it: no blob, however damaged, leads out of it. Hot; no allocation, lock or system call.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/rewrite/facts.h"
#include "l7/rewrite/text_arena.h"
#include "l7/route/rules_view.h"

namespace brink::l7::rewrite {

enum class ProgramVerdict : std::uint8_t {
  kDone,
  kTooLarge,  // the texts that were made do not fit into the arena
  kBroken,    // the program is none: a rendering bug
};

// Runs a condition. The texts that were made meanwhile are gone afterwards.
ProgramVerdict run_condition(const route::RulesView& rules, route::ProgramRef program,
                             const Facts& facts, TextArena& arena, bool& out) noexcept;
// Runs what gives a text, which borrows from facts, arena or blob.
ProgramVerdict run_text(const route::RulesView& rules, route::ProgramRef program,
                        const Facts& facts, TextArena& arena, std::string_view& out) noexcept;

}  // namespace brink::l7::rewrite
