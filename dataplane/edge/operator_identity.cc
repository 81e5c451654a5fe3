#include "dataplane/edge/operator_identity.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "dataplane/secret/pem.h"
#include "dataplane/secret/wipe.h"
#include "dataplane/tls/engine.h"

namespace brink::edge {
namespace {

constexpr char kCertificate[] = "tls.origin-pull-certificate = ";
constexpr char kKey[] = "tls.origin-pull-key = ";

base::Result<std::string> read_file(const std::string& path, const std::string& where) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.is_open() && !file.bad()) return text;
  return base::Error{"the file cannot be read", where, "check its path, owner and folder"};
}

}  // namespace

base::Result<l7::credentials::OperatorIdentity> read_operator_identity(
    const std::string& certificate_path, const std::string& key_path) {
  l7::credentials::OperatorIdentity identity;
  if (certificate_path.empty() && key_path.empty()) return identity;
  if (certificate_path.empty() || key_path.empty()) {
    return base::Error{"a certificate and its key go together",
                       kCertificate + certificate_path + ", " + kKey + key_path,
                       "give both files, or neither"};
  }
  auto chain = read_file(certificate_path, kCertificate + certificate_path);
  if (!chain) return chain.error();
  auto certificates = secret::decode_pem(chain.value());
  if (!certificates) {
    return base::Error{"no certificates in PEM", kCertificate + certificate_path,
                       "give CERTIFICATE blocks, the leaf first"};
  }
  struct stat status {};
  if (::stat(key_path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return base::Error{"the key can be read or written by others than its owner", kKey + key_path,
                       "chmod 600 " + key_path};
  }
  auto key = read_file(key_path, kKey + key_path);
  if (!key) return key.error();
  const secret::WipedAtEnd wiped(key.value());
  auto block = secret::decode_pem(key.value());
  if (!block || block->count != 1) {
    return base::Error{"no private key in PEM", kKey + key_path,
                       "give one PRIVATE KEY block (openssl pkcs8 -topk8 -nocrypt makes it)"};
  }
  identity.chain = std::move(certificates->octets);
  identity.private_key = std::move(block->octets);
  return identity;
}

base::Result<void> check_operator_identity(const l7::credentials::OperatorIdentity& identity) {
  if (identity.chain.empty()) return {};
  auto engine = tls::Engine::create({});
  if (!engine) return engine.error();
  return engine.value()->check({.chain = identity.chain, .private_key = identity.private_key},
                               "tls.origin-pull-certificate, tls.origin-pull-key");
}

}  // namespace brink::edge
