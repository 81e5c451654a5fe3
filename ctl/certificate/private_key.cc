#include "ctl/certificate/private_key.h"

#include <openssl/pem.h>

#include "ctl/certificate/handles.h"

namespace brink::ctl::certificate {
namespace {

using model::Refusal;

Refusal invalid_key(const std::string& message) {
  return {400, model::kCodeKeyInvalid, message, {}};
}

// An encrypted key has nobody here to ask for its password.
int no_password(char*, int, int, void*) {
  return -1;
}

model::Outcome<PublicOrPrivateKey> parse(std::string_view pem) {
  if (auto fault = key_size_fault(pem)) return *std::move(fault);
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return invalid_key("The private key is encrypted; decrypt it first (openssl pkey).");
  }
  const Bio bio = reader(pem);
  PublicOrPrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) return invalid_key("The private key is not PEM that can be read.");
  return key;
}

}  // namespace

std::optional<Refusal> key_size_fault(std::string_view key_pem) {
  if (key_pem.empty()) return invalid_key("There is no private_key.");
  if (key_pem.size() <= model::kPrivateKeyPemMax) return std::nullopt;
  return invalid_key("The private key has " + std::to_string(key_pem.size()) + " octets; " +
                     std::to_string(model::kPrivateKeyPemMax) + " are allowed.");
}

model::Outcome<std::string> read_key(std::string_view key_pem, const std::string& chain_pem) {
  const ErrorsCleared cleared;
  auto key = parse(key_pem);
  if (!key) return key.error();
  if (const auto fault = key_fault(key.value().get(), "The private key"); !fault.empty()) {
    return invalid_key(fault + ".");
  }
  const Bio bio = reader(chain_pem);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  CHECK(leaf != nullptr);
  if (X509_check_private_key(leaf.get(), key.value().get()) != 1) {
    return invalid_key("The private key is not the one of the certificate.");
  }
  const Bio out(BIO_new(BIO_s_secmem()));
  CHECK(out != nullptr);
  CHECK(PEM_write_bio_PKCS8PrivateKey(out.get(), key.value().get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  return text_of(out.get());
}

}  // namespace brink::ctl::certificate
