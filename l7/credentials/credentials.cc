#include "l7/credentials/credentials.h"

#include <exception>
#include <span>
#include <utility>

#include "l7/credentials/content_key.h"

namespace brink::l7::credentials {
namespace {

constexpr tls::Alpn kToClients[] = {tls::Alpn::kH2, tls::Alpn::kHttp11};
constexpr tls::Alpn kToResolvers[] = {tls::Alpn::kDot};
// Sets a host's context for DNS apart from its one for HTTP.
constexpr std::uint64_t kDotContext = 0x444f54;
constexpr tls::Alpn kToOrigins[] = {tls::Alpn::kH2, tls::Alpn::kHttp11};

tls::Version version_of(route::TlsVersion version) noexcept {
  return version == route::TlsVersion::kTls13 ? tls::Version::kTls13 : tls::Version::kTls12;
}

tls::CipherPolicy policy_of(route::CipherPolicy policy) noexcept {
  switch (policy) {
    case route::CipherPolicy::kModern:
      return tls::CipherPolicy::kModern;
    case route::CipherPolicy::kCompatible:
      return tls::CipherPolicy::kCompatible;
    case route::CipherPolicy::kLegacy:
      return tls::CipherPolicy::kLegacy;
  }
  return tls::CipherPolicy::kCompatible;
}

}  // namespace

void Credentials::begin(const snapshot::View& view, std::int64_t unix_s) noexcept {
  view_ = &view;
  unix_s_ = unix_s;
}

void Credentials::end() noexcept {
  view_ = nullptr;
  wipe();
}

void Credentials::wipe() noexcept {
  for (auto& key : keys_) key.reset();
  identity_key_.reset();
}

bool Credentials::fill_certificates(const route::TlsHost& host) {
  for (std::size_t i = 0; i < host.certificate_count; ++i) {
    const route::CertificateView& certificate = host.certificates[i];
    auto key = private_keys_.open(certificate);
    if (!key) return false;
    keys_[i].emplace(*std::move(key));
    certificates_[i] = {certificate.chain, keys_[i]->der(), certificate.ocsp};
  }
  settings_.certificates = {certificates_.data(), host.certificate_count};
  return true;
}

void Credentials::fill_authorities(const route::TlsHost& host) {
  authorities_.clear();
  for (const route::EntryId& id : host.host.authorities) {
    if (const auto authority = host.table->authority(id)) {
      authorities_.insert(authorities_.end(), authority->der.begin(), authority->der.end());
    }
  }
  settings_.client_authorities = authorities_;
}

// Under which key, and which protocols.
void Credentials::offer(const route::TlsHost& host) noexcept {
  if (service_ == Service::kDot) {
    settings_.key = {(host.id ^ kDotContext) | 1, host.version};
    settings_.protocols = kToResolvers;
    return;
  }
  const bool http2 = service_ == Service::kHttp2 && (host.settings.flags & route::kHttp2) != 0;
  settings_.key = {host.id | 1, host.version};
  settings_.protocols = std::span(kToClients).subspan(http2 ? 0 : 1);
}

const tls::HostSettings* Credentials::find(std::string_view name, std::uint64_t) noexcept {
  if (view_ == nullptr ||
      route::find_tls_host(*view_, name, unix_s_, host_) != route::TlsHostVerdict::kFound) {
    // Who asks for DNS may be shown another's.
    if (service_ != Service::kDot) counters_.add(ipc::Counter::kTlsUnknownName);
    return nullptr;
  }
  settings_ = {};
  offer(host_);
  settings_.min_version = version_of(host_.settings.min_tls);
  settings_.max_version = version_of(host_.settings.max_tls);
  settings_.ciphers = policy_of(host_.settings.ciphers);
  if (engine_.has_host(settings_.key)) return &settings_;  // its bytes are not asked for
  try {
    wipe();
    if (host_.host.asks_client && service_ != Service::kDot) {
      settings_.client_auth = tls::ClientAuth::kOptional;
      fill_authorities(host_);
    }
    if (fill_certificates(host_)) return &settings_;
  } catch (const std::exception&) {
    // No memory: this handshake fails, the next may not.
  }
  counters_.add(ipc::Counter::kTlsKeysRefused);
  return nullptr;
}

void Credentials::fill_identity(const route::ZoneTable& table, std::string_view host) {
  const route::OriginPull pull = table.origin_pull(host);
  if (pull.from == route::OriginPull::From::kOperator && operator_ != nullptr &&
      !operator_->chain.empty()) {
    origin_.identity = {content_key(operator_->chain), operator_->chain, operator_->private_key};
  }
  if (pull.from != route::OriginPull::From::kTable) return;
  const auto certificate = table.certificate(pull.certificate);
  auto key = certificate ? private_keys_.open(*certificate) : std::nullopt;
  if (!key) return counters_.add(ipc::Counter::kTlsKeysRefused);
  identity_key_.emplace(*std::move(key));
  origin_.identity = {content_key(certificate->chain), certificate->chain, identity_key_->der()};
}

const tls::OriginSettings& Credentials::origin(const route::ZoneTable& table,
                                               const route::SettingsLayout& settings,
                                               const OriginRequest& request) noexcept {
  origin_ = {};
  origin_.origin = request.origin;
  origin_.server_name = request.host;
  origin_.protocols = std::span(kToOrigins).subspan(request.http2 ? 0 : 1);
  origin_.verify =
      settings.ssl == route::SslMode::kStrict || settings.ssl == route::SslMode::kOriginPull;
  accepted_names_ = {request.host, request.target};
  origin_.accepted_names = {accepted_names_.data(), request.target.empty() ? 1U : 2U};
  try {
    wipe();
    if (const auto store = table.trust_store()) origin_.trust = {content_key(store->der), store->der};
    fill_identity(table, request.host);
  } catch (const std::exception&) {
    counters_.add(ipc::Counter::kTlsKeysRefused);
  }
  return origin_;
}

}  // namespace brink::l7::credentials
