// What the library says went wrong, in this folder's words. Private to this folder.
#pragma once

#include <cstdint>

#include "dataplane/tls/types.h"

namespace brink::tls {

// Reads the calling thread's error queue, oldest first, and empties it. kInternal: it tells
// nothing.
Failure take_failure() noexcept;

// Of an alert that the peer sent (RFC 8446 6.2).
Failure failure_of_alert(std::uint8_t alert) noexcept;

// Of an X509_V_ code.
Verification verification_of(long code) noexcept;

}  // namespace brink::tls
