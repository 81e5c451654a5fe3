// Keys of TLS session tickets: one secret makes those of every hour, so that workers, restarts and
// nodes that have the same secret have the same keys without a word between them. Cold.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/secret/sealed_box.h"
#include "dataplane/tls/engine.h"

namespace brink::edge {

// How long a key makes tickets. They are taken for that long again, and by a node whose clock is
// behind by up to that.
inline constexpr std::int64_t kTicketSlotSeconds = 3600;

// The secret of an operator's file (64 hexadecimal digits, for its owner only), or one drawn for
// this run where `path` is empty. An Error names the file, never what stands there.
base::Result<secret::Key> read_ticket_secret(const std::string& path);

// The number of the slot at that time, in seconds since 1970.
constexpr std::int64_t ticket_slot(std::int64_t unix_s) noexcept {
  return unix_s / kTicketSlotSeconds;
}

// The key of the slot, and those of the slots beside it. Each is HMAC-SHA-256 of the slot's number
// under the secret: who learns a key learns no other.
tls::TicketKeys ticket_keys(const secret::Key& secret, std::int64_t slot);

}  // namespace brink::edge
