// The name that octets have for TLS (dataplane/tls): made of what they are, so nobody can make
// others of the same name, and what was changed is another. Any thread; does not allocate.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/secret/digest.h"
#include "dataplane/tls/types.h"

namespace brink::l7::credentials {

inline tls::Key content_key(std::span<const std::uint8_t> octets) noexcept {
  const secret::Sha256 digest =
      secret::sha256({reinterpret_cast<const char*>(octets.data()), octets.size()});
  tls::Key key;
  std::memcpy(&key.id, digest.data(), sizeof key.id);
  std::memcpy(&key.version, digest.data() + sizeof key.id, sizeof key.version);
  key.id |= 1;  // 0 means: not kept
  return key;
}

}  // namespace brink::l7::credentials
