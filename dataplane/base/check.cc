#include "dataplane/base/check.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace brink::base {
namespace {

iovec text(const char* s) noexcept {
  return {const_cast<char*>(s), std::strlen(s)};
}

}  // namespace

void check_failed(const char* expression, const char* file, int line) noexcept {
  char digits[12];
  char* cursor = digits + sizeof digits - 1;
  *cursor = '\0';
  do {
    *--cursor = static_cast<char>('0' + line % 10);
    line /= 10;
  } while (line > 0 && cursor > digits);
  iovec parts[] = {text("CHECK failed: "), text(expression), text(" at "), text(file), text(":"),
                   text(cursor),           text("\n")};
  [[maybe_unused]] const ssize_t written = ::writev(STDERR_FILENO, parts, 7);
  std::abort();
}

}  // namespace brink::base
