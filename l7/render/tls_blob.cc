#include "l7/render/tls_blob.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/layout.h"
#include "l7/route/zone_table.h"

namespace brink::l7::render {
namespace {

template <typename Layout>
Bytes start(const Layout& layout, std::size_t size) {
  Bytes out(size);
  std::memcpy(out.data(), &layout, sizeof layout);
  return out;
}

std::size_t round_up(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

void put(Bytes& out, std::size_t& at, std::span<const std::uint8_t> octets) {
  std::copy(octets.begin(), octets.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  at += octets.size();
}

}  // namespace

Bytes render_certificate(const CertificateSpec& spec) {
  route::CertificateLayout layout{};
  CHECK(spec.key_context.size() <= route::kKeyContextMax && spec.sealed_key.size() <= 0xffff);
  const std::size_t ocsp_size = spec.ocsp.empty() ? 0 : sizeof spec.ocsp_until_s + spec.ocsp.size();
  const std::size_t size = round_up(sizeof layout + spec.chain.size() + spec.sealed_key.size() +
                                    ocsp_size + spec.key_context.size());
  CHECK(size <= snapshot::kTableValueMax);
  layout.magic = route::kCertificateMagic;
  layout.layout_version = route::kTlsLayoutVersion;
  layout.key_kind = spec.key_kind;
  layout.chain_count = static_cast<std::uint8_t>(std::min<std::size_t>(spec.chain_count, 0xff));
  layout.size_bytes = static_cast<std::uint32_t>(size);
  layout.chain_size = static_cast<std::uint32_t>(spec.chain.size());
  layout.not_before = spec.not_before_s;
  layout.not_after = spec.not_after_s;
  layout.id = spec.id;
  layout.context_size = static_cast<std::uint16_t>(spec.key_context.size());
  layout.key_size = static_cast<std::uint16_t>(spec.sealed_key.size());
  layout.ocsp_size = static_cast<std::uint32_t>(ocsp_size);
  Bytes out = start(layout, size);
  std::size_t at = sizeof layout;
  put(out, at, spec.chain);
  put(out, at, spec.sealed_key);
  if (ocsp_size != 0) {
    std::memcpy(out.data() + at, &spec.ocsp_until_s, sizeof spec.ocsp_until_s);
    at += sizeof spec.ocsp_until_s;
    put(out, at, spec.ocsp);
  }
  std::copy(spec.key_context.begin(), spec.key_context.end(),
            out.begin() + static_cast<std::ptrdiff_t>(at));
  CHECK(route::open_certificate(out).has_value());
  return out;
}

Bytes render_host(const HostSpec& spec) {
  route::HostLayout layout{};
  const std::size_t certificates = std::min(spec.certificates.size(), route::kHostCertificatesMax);
  const std::size_t authorities = std::min(spec.authorities.size(), route::kHostAuthoritiesMax);
  const std::size_t size = sizeof layout + certificates * sizeof(route::CertificateRef) +
                           authorities * sizeof(route::EntryId);
  layout.magic = route::kHostMagic;
  layout.layout_version = route::kTlsLayoutVersion;
  layout.flags = static_cast<std::uint16_t>((spec.asks_client ? route::kHostAsksClient : 0) |
                                            (spec.forwards_certificate ? route::kHostForwards : 0));
  layout.size_bytes = static_cast<std::uint32_t>(size);
  layout.certificate_count = static_cast<std::uint16_t>(certificates);
  layout.authority_count = static_cast<std::uint16_t>(authorities);
  Bytes out = start(layout, size);
  std::size_t at = sizeof layout;
  for (std::size_t i = 0; i < certificates; ++i, at += sizeof(route::CertificateRef)) {
    const HostCertificate& each = spec.certificates[i];
    const route::CertificateRef ref{each.id, each.not_after_s, each.key_kind, {}};
    std::memcpy(out.data() + at, &ref, sizeof ref);
  }
  for (std::size_t i = 0; i < authorities; ++i) put(out, at, spec.authorities[i]);
  CHECK(route::open_host(out).has_value());
  return out;
}

Bytes render_anchors(std::span<const std::uint8_t> der, std::size_t count) {
  CHECK(count <= route::kAnchorsMax);
  route::AnchorsLayout layout{};
  const std::size_t size = round_up(sizeof layout + der.size());
  layout.magic = route::kAnchorsMagic;
  layout.layout_version = route::kTlsLayoutVersion;
  layout.count = static_cast<std::uint16_t>(count);
  layout.size_bytes = static_cast<std::uint32_t>(size);
  layout.der_size = static_cast<std::uint32_t>(der.size());
  Bytes out = start(layout, size);
  std::size_t at = sizeof layout;
  put(out, at, der);
  CHECK(route::open_anchors(out).has_value());
  return out;
}

Bytes render_origin_pull(bool is_on, const route::EntryId& certificate) {
  route::OriginPullLayout layout{};
  layout.magic = route::kOriginPullMagic;
  layout.layout_version = route::kTlsLayoutVersion;
  layout.flags = is_on ? route::kOriginPullOn : 0;
  layout.certificate = certificate;
  return start(layout, sizeof layout);
}

Bytes render_revoked() {
  const route::RevokedLayout layout{route::kRevokedMagic, route::kTlsLayoutVersion, 0};
  return start(layout, sizeof layout);
}

Bytes render_settings(const route::SettingsLayout& settings) {
  Bytes out = start(settings, sizeof settings);
  CHECK(route::open_settings(out).has_value());
  return out;
}

Bytes render_error_page(std::string_view text) {
  CHECK(!text.empty());
  Bytes out(text.begin(), text.end());
  out.resize((out.size() + snapshot::kHeapUnit - 1) / snapshot::kHeapUnit * snapshot::kHeapUnit);
  return out;
}

}  // namespace brink::l7::render
