// Names that proofs are about, and their places in a chain. Hot.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/name.h"
#include "dataplane/snapshot/view.h"

namespace brink::dns::answer {

// A name as lower-case wire form.
using WireName = std::span<const std::uint8_t>;

inline WireName parent(WireName name) noexcept {
  return name.subspan(1U + name[0]);
}

// The ancestor of `name`, or itself, that is one label longer than its closest encloser, whose wire
// size is given (RFC 5155 1.3).
inline WireName next_closer(WireName name, std::size_t closest_size) noexcept {
  while (parent(name).size() > closest_size) name = parent(name);
  return name;
}

// Of the proof that a name right below the apex is not there all but what covers the name itself, a
// free-standing blob; null: it is none such name, or has to be looked for.
inline const snapshot::BlobHeader* apex_denial(const snapshot::ZoneState& state,
                                               const snapshot::Lookup& found) noexcept {
  if (found.closest_size != found.encloser->apex_size) return nullptr;
  return snapshot::View::apex_denial_blob(state);
}

// "*." before a name.
class WildcardName {
 public:
  explicit WildcardName(WireName parent) noexcept : size_(parent.size() + 2) {
    bytes_[0] = 1;
    bytes_[1] = '*';
    std::memcpy(bytes_ + 2, parent.data(), parent.size());
  }
  [[nodiscard]] WireName name() const noexcept { return {bytes_, size_}; }

 private:
  std::size_t size_;
  std::uint8_t bytes_[snapshot::kNameMax + 2];
};

}  // namespace brink::dns::answer
