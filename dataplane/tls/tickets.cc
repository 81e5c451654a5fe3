// Session tickets under keys from outside (RFC 5077 4, RFC 8446 4.6.1).
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "dataplane/tls/engine_state.h"

namespace brink::tls {
namespace {

constexpr int kFailed = -1, kUnknownKey = 0, kUsed = 1, kUsedAndRenewed = 2;

bool set_mac(EVP_MAC_CTX* mac, const TicketKey& key) noexcept {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                        const_cast<std::uint8_t*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

const TicketKey* find_key(const TicketKeys& keys, const unsigned char* name) noexcept {
  const auto has_name = [name](const TicketKey& key) {
    return CRYPTO_memcmp(key.name.data(), name, key.name.size()) == 0;
  };
  if (has_name(keys.current)) return &keys.current;
  if (keys.previous && has_name(*keys.previous)) return &*keys.previous;
  if (keys.next && has_name(*keys.next)) return &*keys.next;
  return nullptr;
}

}  // namespace

int StreamParts::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                           EVP_MAC_CTX* mac, int sealing) {
  Engine::State& state = state_of(of(ssl));
  const TicketKeys& keys = state.ticket_keys;
  const EVP_CIPHER* aes = state.ticket_cipher.get();
  if (sealing == 1) {
    const TicketKey& key = keys.current;
    std::copy(key.name.begin(), key.name.end(), name);
    const bool sealed =
        RAND_bytes_ex(state.library.get(), iv, EVP_CIPHER_get_iv_length(aes), 0) == 1 &&
        EVP_EncryptInit_ex2(cipher, aes, key.cipher.data(), iv, nullptr) == 1 && set_mac(mac, key);
    return sealed ? kUsed : kFailed;
  }
  const TicketKey* key = find_key(keys, name);
  if (key == nullptr) return kUnknownKey;
  if (EVP_DecryptInit_ex2(cipher, aes, key->cipher.data(), iv, nullptr) != 1 ||
      !set_mac(mac, *key)) {
    return kFailed;
  }
  // Clients use a TLS 1.3 ticket once: without a new one every second visit would be a whole
  // handshake.
  const bool renew = key != &keys.current || SSL_version(ssl) == TLS1_3_VERSION;
  return renew ? kUsedAndRenewed : kUsed;
}

// A ticket carries the client's certificate and what was found then. One whose time is over since
// is looked at anew, in a full handshake.
SSL_TICKET_RETURN StreamParts::on_ticket_opened(SSL*, SSL_SESSION* session, const unsigned char*,
                                                std::size_t, SSL_TICKET_STATUS status, void*) {
  switch (status) {
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW:
      break;
    default:
      return SSL_TICKET_RETURN_ABORT;
  }
  const X509* shown = SSL_SESSION_get0_peer(session);
  if (shown != nullptr && X509_cmp_current_time(X509_get0_notAfter(shown)) <= 0) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace brink::tls
