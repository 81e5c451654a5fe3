#include "dataplane/secret/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <vector>

#include "dataplane/base/check.h"

namespace brink::secret {
namespace {

// One octet a character: the alphabet's size divides 256, so that all are equally likely.
std::string random_of(const Entropy& entropy, std::size_t size, std::string_view alphabet) {
  std::vector<std::uint8_t> octets(size);
  entropy(octets);
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = alphabet[octets[i] % alphabet.size()];
  return text;
}

}  // namespace

Sha256 sha256(std::string_view text) {
  Sha256 digest;
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  CHECK(size == digest.size());
  return digest;
}

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> data) {
  Sha256 digest;
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(),
                          data.size(), digest.data(), &size);
  CHECK(done != nullptr && size == digest.size());
  return digest;
}

std::string random_text(const Entropy& entropy, std::size_t size) {
  return random_of(entropy, size,
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string random_hex(const Entropy& entropy, std::size_t size) {
  return random_of(entropy, size, "0123456789abcdef");
}

}  // namespace brink::secret
