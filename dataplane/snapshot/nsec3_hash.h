// The hash of a name under which NSEC3 puts it (RFC 5155 5), as the first label of its record's
// owner, and so its place in a chain. Hot.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

inline constexpr std::size_t kNsec3DigestSize = 20;  // SHA-1
inline constexpr std::size_t kNsec3LabelSize = 32;

// `name`: lower-case wire form. `label`: base32hex in lower case (RFC 4648 7), without a length
// octet. Costs iterations + 1 SHA-1; the image bounds them (snapshot::kNsec3IterationsMax).
void nsec3_label(std::span<const std::uint8_t> name, std::uint16_t iterations,
                 std::span<const std::uint8_t> salt,
                 std::uint8_t (&label)[kNsec3LabelSize]) noexcept;

// The digest alone, written so.
void nsec3_digits(const std::uint8_t (&digest)[kNsec3DigestSize],
                  std::uint8_t (&label)[kNsec3LabelSize]) noexcept;

// Makes `key` the place of the name's NSEC3 record in the chain.
inline void set_nsec3_key(DenialKey& key, std::span<const std::uint8_t> name,
                          const DenialChain& chain) noexcept {
  std::uint8_t label[kNsec3LabelSize];
  nsec3_label(name, chain.iterations, denial_salt(chain), label);
  key.size = 0;
  append_denial_label(key, label, sizeof label);
}

}  // namespace brink::snapshot
