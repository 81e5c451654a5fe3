// The keys of what is sent, as the library hands them to a transport that seals records by itself
// (SSL_OP_ENABLE_KTLS): the structures of the kernel's TLS, <linux/tls.h>. Private to this folder.
#pragma once

#include <optional>

#include "dataplane/tls/sealer.h"

namespace brink::tls {

// `handed` points to one of those structures. Nothing: of a cipher that a Sealer does not have.
// The key of what is returned lies in `handed`.
std::optional<RecordKeys> read_handed_keys(const void* handed) noexcept;

}  // namespace brink::tls
