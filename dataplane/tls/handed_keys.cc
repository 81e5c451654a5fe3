#include "dataplane/tls/handed_keys.h"

#include <linux/tls.h>
#include <openssl/ssl.h>

#include <algorithm>

namespace brink::tls {
namespace {

template <typename Handed>
RecordKeys keys_of(const Handed& handed, Version version) noexcept {
  RecordKeys keys{.version = version, .key = handed.key};
  std::copy(std::begin(handed.salt), std::end(handed.salt), keys.salt.begin());
  std::copy(std::begin(handed.iv), std::end(handed.iv), keys.vector.begin());
  std::copy(std::begin(handed.rec_seq), std::end(handed.rec_seq), keys.sequence.begin());
  return keys;
}

}  // namespace

std::optional<RecordKeys> read_handed_keys(const void* handed) noexcept {
  const auto& info = *static_cast<const tls_crypto_info*>(handed);
  if (info.version != TLS1_2_VERSION && info.version != TLS1_3_VERSION) return std::nullopt;
  const Version version = info.version == TLS1_2_VERSION ? Version::kTls12 : Version::kTls13;
  switch (info.cipher_type) {
    case TLS_CIPHER_AES_GCM_128:
      return keys_of(*static_cast<const tls12_crypto_info_aes_gcm_128*>(handed), version);
    case TLS_CIPHER_AES_GCM_256:
      return keys_of(*static_cast<const tls12_crypto_info_aes_gcm_256*>(handed), version);
  }
  return std::nullopt;
}

}  // namespace brink::tls
