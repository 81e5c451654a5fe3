#include "dataplane/snapshot/name.h"

namespace brink::snapshot {

bool set_key_from_text(NameKey& key, const base::HashKey& hash_key,
                       std::string_view text) noexcept {
  std::uint8_t wire[kNameMax + 1 + 32];
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > kNameMax - 2) return false;
  std::size_t label_at = 0;  // where the length byte of the current label goes
  std::size_t at = 1;
  for (const char c : text) {
    if (c == '.') {
      if (at == label_at + 1 || at - label_at - 1 > kLabelMax) return false;
      wire[label_at] = static_cast<std::uint8_t>(at - label_at - 1);
      label_at = at++;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte <= ' ' || byte == 0x7f || byte == '\\') return false;
    wire[at++] = byte;
  }
  if (at == label_at + 1 || at - label_at - 1 > kLabelMax) return false;
  wire[label_at] = static_cast<std::uint8_t>(at - label_at - 1);
  wire[at++] = 0;
  set_key(key, hash_key, wire, at, sizeof wire);
  return true;
}

}  // namespace brink::snapshot
