#include "l7/route/zone_table.h"

#include <cstring>

#include "l7/route/rules_view.h"

namespace brink::l7::route {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::size_t round_up(std::size_t size) noexcept {
  return (size + 7) & ~std::size_t{7};
}

// The head of a blob; null: it is too short, not aligned, or starts with something else.
template <typename Layout>
const Layout* head_of(Bytes blob, std::uint32_t magic, std::uint16_t version) noexcept {
  if (blob.size() < sizeof(Layout) || reinterpret_cast<std::uintptr_t>(blob.data()) % 8 != 0) {
    return nullptr;
  }
  const auto* head = reinterpret_cast<const Layout*>(blob.data());
  return head->magic == magic && head->layout_version == version ? head : nullptr;
}

bool is_key_kind(KeyKind kind) noexcept {
  return kind <= KeyKind::kEd25519;
}

// The DER elements, SEQUENCEs of the size that they say, that fill `der`; 0: something else does.
std::size_t count_der(Bytes der) noexcept {
  std::size_t count = 0;
  while (!der.empty()) {
    if (der.size() < 2 || der[0] != 0x30) return 0;
    std::size_t head = 2, size = der[1];
    if (size > 0x80 && size <= 0x83) {
      const std::size_t octets = size & 0x7f;
      if (der.size() < 2 + octets) return 0;
      size = 0;
      for (std::size_t i = 0; i < octets; ++i) size = size << 8 | der[2 + i];
      head += octets;
    } else if (size >= 0x80) {
      return 0;
    }
    if (size > der.size() - head) return 0;
    der = der.subspan(head + size);
    ++count;
  }
  return count;
}

}  // namespace

std::optional<CertificateView> open_certificate(Bytes blob) noexcept {
  const auto* head = head_of<CertificateLayout>(blob, kCertificateMagic, kTlsLayoutVersion);
  if (head == nullptr || head->size_bytes != blob.size() || !is_key_kind(head->key_kind)) return {};
  if (head->chain_count == 0 || head->chain_count > kChainMax || head->key_size == 0 ||
      head->context_size == 0 || head->context_size > kKeyContextMax ||
      (head->ocsp_size != 0 && head->ocsp_size <= sizeof(CertificateView::ocsp_until))) {
    return {};
  }
  const std::uint64_t end = sizeof *head + std::uint64_t{head->chain_size} + head->key_size +
                            head->ocsp_size + head->context_size;
  if (round_up(end) != blob.size()) return {};
  Bytes rest = blob.subspan(sizeof *head);
  const auto take = [&rest](std::size_t size) {
    const Bytes part = rest.first(size);
    rest = rest.subspan(size);
    return part;
  };
  CertificateView view;
  view.id = head->id;
  view.key_kind = head->key_kind;
  view.not_before = head->not_before;
  view.not_after = head->not_after;
  view.chain_count = head->chain_count;
  view.chain = take(head->chain_size);
  view.sealed_key = take(head->key_size);
  if (head->ocsp_size != 0) {
    const Bytes until = take(sizeof view.ocsp_until);
    std::memcpy(&view.ocsp_until, until.data(), until.size());
    view.ocsp = take(head->ocsp_size - until.size());
  }
  const Bytes context = take(head->context_size);
  view.key_context = {reinterpret_cast<const char*>(context.data()), context.size()};
  view.blob = blob;
  if (count_der(view.chain) != view.chain_count) return {};
  return view;
}

std::optional<HostView> open_host(Bytes blob) noexcept {
  const auto* head = head_of<HostLayout>(blob, kHostMagic, kTlsLayoutVersion);
  if (head == nullptr || head->size_bytes != blob.size() ||
      (head->flags & ~kHostFlagsKnown) != 0 || head->certificate_count > kHostCertificatesMax ||
      head->authority_count > kHostAuthoritiesMax) {
    return {};
  }
  const std::size_t authorities_at =
      sizeof *head + head->certificate_count * sizeof(CertificateRef);
  if (authorities_at + head->authority_count * sizeof(EntryId) != blob.size()) return {};
  HostView view;
  view.asks_client = (head->flags & kHostAsksClient) != 0;
  view.forwards_certificate = (head->flags & kHostForwards) != 0;
  view.certificates = {reinterpret_cast<const CertificateRef*>(head + 1), head->certificate_count};
  view.authorities = {reinterpret_cast<const EntryId*>(blob.data() + authorities_at),
                      head->authority_count};
  view.blob = blob;
  for (const CertificateRef& ref : view.certificates) {
    if (!is_key_kind(ref.key_kind)) return {};
  }
  return view;
}

std::optional<AnchorsView> open_anchors(Bytes blob) noexcept {
  const auto* head = head_of<AnchorsLayout>(blob, kAnchorsMagic, kTlsLayoutVersion);
  if (head == nullptr || head->size_bytes != blob.size() || head->count == 0 ||
      head->count > kAnchorsMax ||
      round_up(sizeof *head + std::uint64_t{head->der_size}) != blob.size()) {
    return {};
  }
  const AnchorsView view{head->count, blob.subspan(sizeof *head, head->der_size), blob};
  if (count_der(view.der) != view.count) return {};
  return view;
}

std::optional<OriginPull> open_origin_pull(Bytes blob) noexcept {
  const auto* head = head_of<OriginPullLayout>(blob, kOriginPullMagic, kTlsLayoutVersion);
  if (head == nullptr || blob.size() != sizeof *head ||
      (head->flags & ~kOriginPullFlagsKnown) != 0) {
    return {};
  }
  OriginPull pull;
  if ((head->flags & kOriginPullOn) == 0) return pull;
  pull.from = OriginPull::From::kTable;
  pull.certificate = head->certificate;
  return pull;
}

bool is_revoked_mark(Bytes blob) noexcept {
  const auto* head = head_of<RevokedLayout>(blob, kRevokedMagic, kTlsLayoutVersion);
  return head != nullptr && blob.size() == sizeof *head && head->reserved == 0;
}

std::optional<SettingsLayout> open_settings(Bytes blob) noexcept {
  const auto* head = head_of<SettingsLayout>(blob, kSettingsMagic, kSettingsLayoutVersion);
  if (head == nullptr || blob.size() != sizeof *head) return {};
  if (head->ssl > SslMode::kOriginPull || head->min_tls > TlsVersion::kTls13 ||
      head->max_tls > TlsVersion::kTls13 || (head->flags & ~kSettingFlagsKnown) != 0 ||
      head->pseudo_ipv4 > PseudoIpv4::kOverwriteHeader || head->ciphers > CipherPolicy::kLegacy ||
      head->origin_http < 1 || head->origin_http > 2 || head->read_timeout_s == 0 ||
      head->read_timeout_s > 86'400 || head->origin_proxy > OriginProxy::kV2 ||
      head->reserved[0] != 0 || head->reserved[1] != 0 || head->reserved[2] != 0) {
    return {};
  }
  return *head;
}

bool is_good_value(Bytes key, Bytes blob) noexcept {
  if (key.empty()) return false;
  const std::size_t rest = key.size() - 1;
  switch (static_cast<TableGroup>(key[0])) {
    case TableGroup::kSettings:
      return rest == 0 && open_settings(blob).has_value();
    case TableGroup::kCertificate:
      return rest == sizeof(EntryId) && open_certificate(blob).has_value();
    case TableGroup::kHost:
      return rest <= kHostMax && open_host(blob).has_value();
    case TableGroup::kAuthority:
      return rest == sizeof(EntryId) && open_anchors(blob).has_value();
    case TableGroup::kRevoked:
      return rest > sizeof(EntryId) && rest <= sizeof(EntryId) + kSerialMax &&
             is_revoked_mark(blob);
    case TableGroup::kOriginPull:
      return rest <= kHostMax && open_origin_pull(blob).has_value();
    case TableGroup::kTrustStore:
      return rest == 0 && open_anchors(blob).has_value();
    case TableGroup::kRules: {
      const auto rules = RulesView::open(blob);
      return rest == 1 && rules && static_cast<std::uint8_t>(rules->phase()) == key[1];
    }
    case TableGroup::kErrorPage:
      return rest == 1 && key[1] < kPageKinds && !blob.empty();
  }
  return false;
}

Bytes ZoneTable::value(const TableKey& key) const noexcept {
  if (table_ == nullptr) return {};
  snapshot::DenialKey table_key;
  snapshot::set_table_key(table_key, key.octets());
  return view_->value(*table_, table_key);
}

SettingsLayout ZoneTable::settings() const noexcept {
  return open_settings(value(TableKey(TableGroup::kSettings))).value_or(SettingsLayout());
}

std::optional<CertificateView> ZoneTable::certificate(const EntryId& id) const noexcept {
  return open_certificate(value(key_of(TableGroup::kCertificate, id)));
}

std::optional<HostView> ZoneTable::host(std::string_view host) const noexcept {
  if (host.size() > kHostMax) return {};
  return open_host(value(key_of(TableGroup::kHost, host)));
}

std::optional<AnchorsView> ZoneTable::authority(const EntryId& id) const noexcept {
  return open_anchors(value(key_of(TableGroup::kAuthority, id)));
}

bool ZoneTable::is_revoked(const EntryId& authority, Bytes serial) const noexcept {
  while (!serial.empty() && serial.front() == 0) serial = serial.subspan(1);
  if (serial.size() > kSerialMax) return false;
  return is_revoked_mark(value(revoked_key(authority, serial)));
}

OriginPull ZoneTable::origin_pull(std::string_view host) const noexcept {
  if (host.size() > kHostMax) return {};
  if (const auto own = open_origin_pull(value(key_of(TableGroup::kOriginPull, host)))) return *own;
  if (const auto zone = open_origin_pull(value(TableKey(TableGroup::kOriginPull)))) return *zone;
  OriginPull pull;
  if ((settings().flags & kOperatorPull) != 0) pull.from = OriginPull::From::kOperator;
  return pull;
}

std::optional<AnchorsView> ZoneTable::trust_store() const noexcept {
  return open_anchors(value(TableKey(TableGroup::kTrustStore)));
}

}  // namespace brink::l7::route
