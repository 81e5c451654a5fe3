#include "dataplane/edge/dot_certificates.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "dataplane/secret/pem.h"
#include "dataplane/secret/wipe.h"
#include "dataplane/tls/certificate_names.h"
#include "dataplane/tls/engine.h"
#include "l7/credentials/content_key.h"

namespace brink::edge {
namespace {

constexpr tls::Alpn kProtocols[] = {tls::Alpn::kDot};

std::optional<std::vector<std::uint8_t>> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto blocks = secret::decode_pem(text);
  secret::wipe(text);
  if (!blocks) return {};
  return std::move(blocks->octets);
}

}  // namespace

DotCertificate::~DotCertificate() {
  secret::wipe({reinterpret_cast<char*>(key_.data()), key_.size()});
}

base::Result<std::unique_ptr<const DotCertificate>> DotCertificate::read(const DotFiles& files) {
  const std::string certificate_setting = "tls.dot-certificate = " + files.certificate;
  auto chain = read_pem(files.certificate);
  if (!chain) {
    return base::Error{"the certificate of DNS over TLS cannot be read", certificate_setting,
                       "give a file of CERTIFICATE blocks (PEM), the server's first"};
  }
  auto key = read_pem(files.key);
  if (!key) {
    return base::Error{"the private key of DNS over TLS cannot be read",
                       "tls.dot-key = " + files.key, "give a file with one PRIVATE KEY (PEM)"};
  }
  std::unique_ptr<DotCertificate> made(new DotCertificate);
  made->chain_ = *std::move(chain);
  made->key_ = *std::move(key);
  made->names_ = tls::certificate_names(made->chain_);
  made->bytes_ = {made->chain_, made->key_, {}};
  made->settings_.key = l7::credentials::content_key(made->chain_);
  made->settings_.certificates = {&made->bytes_, 1};
  made->settings_.protocols = kProtocols;
  auto engine = tls::Engine::create({});
  if (!engine) return engine.error();
  if (auto good = engine.value()->prepare(made->settings_); !good) {
    return base::Error{
        "the certificate of DNS over TLS cannot be used: " + good.error().what, certificate_setting,
        "give the chain, and in tls.dot-key its key, neither encrypted nor of an older form than "
        "PKCS #8 (openssl pkcs8 -topk8 -nocrypt)"};
  }
  return std::unique_ptr<const DotCertificate>(std::move(made));
}

const tls::HostSettings* DotCertificates::find(std::string_view name, std::uint64_t user) noexcept {
  const DotCertificate* own = file_.load(std::memory_order_acquire);
  if (own != nullptr && tls::names_cover(own->names(), name)) return &own->settings();
  if (!name.empty()) {
    if (const tls::HostSettings* found = image_.find(name, user)) return found;
  }
  if (own != nullptr) return &own->settings();
  return host_.empty() ? nullptr : image_.find(host_, user);
}

}  // namespace brink::edge
