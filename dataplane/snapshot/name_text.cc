#include "dataplane/snapshot/name_text.h"

#include <algorithm>
#include <cstdio>

namespace brink::snapshot {

std::string name_text(std::span<const std::uint8_t> name) {
  std::string text;
  std::size_t at = 0;
  while (at < name.size() && name[at] != 0) {
    const std::size_t end = std::min<std::size_t>(name.size(), at + 1 + name[at]);
    for (++at; at < end; ++at) {
      const std::uint8_t octet = name[at];
      if (octet > ' ' && octet < 0x7f && octet != '.' && octet != '\\') {
        text += static_cast<char>(octet);
        continue;
      }
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\%03u", octet);
      text += escaped;
    }
    text += '.';
  }
  return text.empty() ? "." : text;
}

}  // namespace brink::snapshot
