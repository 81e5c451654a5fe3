// The hash of a name under which NSEC3 puts it (RFC 5155 5), as the first label of its record's
// owner. Hot.
#pragma once

#include <cstdint>
#include <span>

#include "dns/answer/sha1_lanes.h"

namespace brink::dns::answer {

inline constexpr std::size_t kNsec3LabelSize = 32;

// `name`: lower-case wire form. `label`: base32hex in lower case (RFC 4648 7), without a length
// octet. Costs iterations + 1 SHA-1; the image bounds them (snapshot::kNsec3IterationsMax).
void nsec3_label(std::span<const std::uint8_t> name, std::uint16_t iterations,
                 std::span<const std::uint8_t> salt,
                 std::uint8_t (&label)[kNsec3LabelSize]) noexcept;

// The digest alone, written so.
void nsec3_digits(const std::uint8_t (&digest)[kSha1Size],
                  std::uint8_t (&label)[kNsec3LabelSize]) noexcept;

}  // namespace brink::dns::answer
