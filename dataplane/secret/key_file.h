// The key file: 32 octets as 64 hex digits and a newline, mode 0600 or stricter, kept apart from
// the store, so that a copy of the store alone gives no secret away.
#pragma once

#include <string>

#include "dataplane/secret/sealed_box.h"

namespace brink::secret {

// Reads the key; makes the file when there is none and `may_create`. Fails, naming the file, when
// it is open to others than its owner, is malformed, or is absent and may not be made.
base::Result<Key> load_key(const std::string& path, bool may_create, const Entropy& entropy);

// Names a key without telling it: what the store keeps, to see that it is given the same one again.
Sha256 fingerprint(const Key& key);

}  // namespace brink::secret
