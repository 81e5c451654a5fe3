#include "dataplane/secret/sealed_box.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <limits>
#include <memory>

#include "dataplane/base/check.h"

namespace brink::secret {
namespace {

constexpr std::uint8_t kForm = 1;
constexpr std::size_t kNonceSize = 12, kTagSize = 16;
constexpr std::size_t kHeadSize = 1 + kNonceSize;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const std::uint8_t* octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

int int_size(std::size_t size) {
  CHECK(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

// Begins with key and nonce, and takes in what is authenticated only.
Cipher begin(const Key& key, const std::uint8_t* nonce, std::string_view context, bool encrypts) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  CHECK(cipher != nullptr);
  CHECK(EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce,
                          encrypts ? 1 : 0) == 1);
  int size = 0;
  CHECK(EVP_CipherUpdate(cipher.get(), nullptr, &size, octets(context), int_size(context.size())) ==
        1);
  return cipher;
}

}  // namespace

Key::~Key() {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

std::vector<std::uint8_t> SealedBox::seal(std::string_view secret, std::string_view context) const {
  std::vector<std::uint8_t> box(kHeadSize + secret.size() + kTagSize);
  box[0] = kForm;
  entropy_(std::span(box).subspan(1, kNonceSize));
  const Cipher cipher = begin(key_, box.data() + 1, context, true);
  int size = 0;
  CHECK(EVP_CipherUpdate(cipher.get(), box.data() + kHeadSize, &size, octets(secret),
                         int_size(secret.size())) == 1);
  CHECK(EVP_CipherFinal_ex(cipher.get(), box.data() + kHeadSize + size, &size) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                            box.data() + kHeadSize + secret.size()) == 1);
  return box;
}

base::Result<std::string> SealedBox::open(std::span<const std::uint8_t> box,
                                          std::string_view context) const {
  const base::Error fault{"a secret of the store does not open: another key, or damage",
                          std::string(context),
                          "put back the key file that belongs to this store, or enter the secret "
                          "again"};
  if (box.size() < kHeadSize + kTagSize || box[0] != kForm) return fault;
  const Cipher cipher = begin(key_, box.data() + 1, context, false);
  std::string secret(box.size() - kHeadSize - kTagSize, '\0');
  auto* out = reinterpret_cast<std::uint8_t*>(secret.data());
  int size = 0;
  CHECK(EVP_CipherUpdate(cipher.get(), out, &size, box.data() + kHeadSize,
                         int_size(secret.size())) == 1);
  std::array<std::uint8_t, kTagSize> tag;
  std::copy(box.end() - kTagSize, box.end(), tag.begin());
  CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1);
  if (EVP_CipherFinal_ex(cipher.get(), out + size, &size) == 1) return secret;
  OPENSSL_cleanse(secret.data(), secret.size());
  return fault;
}

}  // namespace brink::secret
