#include "dataplane/secret/wipe.h"

#include <openssl/crypto.h>

namespace brink::secret {

void wipe(std::span<char> octets) {
  OPENSSL_cleanse(octets.data(), octets.size());
}

void wipe(std::string& secret) {
  wipe(std::span(secret.data(), secret.size()));
  secret.clear();
}

}  // namespace brink::secret
