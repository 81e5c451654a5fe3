// Counts heap allocations of this program: its operator new and malloc go through here.
#pragma once

#include <cstdint>

namespace brink::perf {

// Allocations (malloc, calloc, realloc and operator new) of the calling thread so far.
std::uint64_t allocation_count();

}  // namespace brink::perf
