#include "perf/support/allocation_count.h"

#include <cstddef>

namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

namespace brink::perf {

std::uint64_t allocation_count() {
  return allocations;
}

}  // namespace brink::perf

// glibc's own entry points, so that counting needs no look-up that could itself allocate.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
}
