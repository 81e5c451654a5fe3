// Which kind of key a certificate is of, told by a walk over its DER (X.690) that asks no library:
// compiling a large store asks for many. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace brink::ctl::certificate {

enum class KeyKind : std::uint8_t { kEcdsa, kRsa, kEd25519 };

// `der` starts with a certificate (RFC 5280 4.1). Empty: it is none, or its key is of another kind.
std::optional<KeyKind> key_kind_of(std::span<const std::uint8_t> der);

}  // namespace brink::ctl::certificate
