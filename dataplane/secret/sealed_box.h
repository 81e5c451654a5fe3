// SealedBox: secrets as they lie in the store, encrypted and authenticated with AES-256-GCM
// (NIST SP 800-38D).
//
//   OFFSET  SIZE  MEANING
//   0       1     form, 1
//   1       12    nonce, random
//   13      n     ciphertext
//   13+n    16    tag
//
// `context` is authenticated but not kept: it says what the secret belongs to ("certificate
// 0123..."), so that a box which was moved to another row does not open. Nonces are random: seal
// fewer than 2^32 boxes with one key.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/secret/digest.h"
#include "dataplane/base/result.h"

namespace brink::secret {

// AES-256; wiped when it goes.
struct Key {
  std::array<std::uint8_t, 32> bytes{};

  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();
};

class SealedBox {
 public:
  SealedBox(const Key& key, Entropy entropy) : key_(key), entropy_(std::move(entropy)) {}

  // Any thread, as far as the entropy allows.
  [[nodiscard]] std::vector<std::uint8_t> seal(std::string_view secret,
                                               std::string_view context) const;
  // Fails when the box was sealed with another key or context, or was altered.
  [[nodiscard]] base::Result<std::string> open(std::span<const std::uint8_t> box,
                                               std::string_view context) const;

 private:
  Key key_;
  Entropy entropy_;
};

}  // namespace brink::secret
