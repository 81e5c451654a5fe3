// CHECK and DCHECK: assertions about our own code, never about a peer's input or the environment.
#pragma once

namespace brink::base {

// Writes `expression` and its place to standard error with one write(2) and aborts. Any thread.
[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace brink::base

// CHECK is always on. DCHECK is for places where the cost of CHECK was measured.
#define CHECK(condition)                             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::brink::base::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(0)
#else
#define DCHECK(condition) CHECK(condition)
#endif
