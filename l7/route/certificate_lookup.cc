#include "l7/route/certificate_lookup.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/hash.h"

namespace brink::l7::route {
namespace {

// Lower-case text of a name without its final dot; empty: it is too long.
class HostText {
 public:
  explicit HostText(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() > kHostMax) return;
    for (const char c : name) {
      text_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }
  // Of a name with more than one label, "*." and what is behind the first; ends the use of text().
  [[nodiscard]] std::string_view wildcard() noexcept {
    const std::size_t dot = text().find('.');
    if (dot == std::string_view::npos || dot == 0) return {};
    text_[dot - 1] = '*';
    return {text_ + dot - 1, size_ - dot + 1};
  }

 private:
  char text_[kHostMax];
  std::size_t size_ = 0;
};

// Hashes octets that nothing is known to follow.
class Digest {
 public:
  Digest(const base::HashKey& key, std::uint64_t seed) noexcept : key_(key), value_(seed) {}

  void add(std::span<const std::uint8_t> octets) noexcept {
    alignas(32) std::uint8_t block[kBlock + 32] = {};
    for (; !octets.empty(); octets = octets.subspan(std::min(octets.size(), kBlock - 8))) {
      const std::size_t size = std::min(octets.size(), kBlock - 8);
      std::memset(block, 0, sizeof block);
      std::memcpy(block, &value_, sizeof value_);
      std::memcpy(block + 8, octets.data(), size);
      value_ = base::keyed_hash(key_, block, 8 + size);
    }
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  static constexpr std::size_t kBlock = 512;
  const base::HashKey& key_;
  std::uint64_t value_;
};

bool is_rsa(KeyKind kind) noexcept {
  return kind == KeyKind::kRsa;
}

// The first certificate of a kind that is in time; else the first of the kind. Null: there is none.
const CertificateRef* choose(const HostView& host, bool rsa, std::int64_t now_s) noexcept {
  const CertificateRef* first = nullptr;
  for (const CertificateRef& ref : host.certificates) {
    if (is_rsa(ref.key_kind) != rsa) continue;
    if (ref.not_after > now_s) return &ref;
    if (first == nullptr) first = &ref;
  }
  return first;
}

bool choose_certificates(const ZoneTable& table, std::int64_t now_s, TlsHost& out) noexcept {
  out.certificate_count = 0;
  for (const bool rsa : {false, true}) {
    const CertificateRef* ref = choose(out.host, rsa, now_s);
    if (ref == nullptr) continue;
    const auto certificate = table.certificate(ref->id);
    if (!certificate) return false;
    CertificateView& shown = out.certificates[out.certificate_count++];
    shown = *certificate;
    if (shown.ocsp_until <= now_s) shown.ocsp = {};
  }
  return true;
}

std::span<const std::uint8_t> octets_of(const SettingsLayout& settings) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&settings), sizeof settings};
}

std::uint64_t version_of(const base::HashKey& key, const ZoneTable& table,
                         const TlsHost& host) noexcept {
  Digest digest(key, 1);
  digest.add(octets_of(host.settings));
  digest.add(host.host.blob);
  for (std::size_t i = 0; i < host.certificate_count; ++i) {
    digest.add(host.certificates[i].blob);
    digest.add(std::array<std::uint8_t, 1>{!host.certificates[i].ocsp.empty()});
  }
  if (!host.host.asks_client) return digest.value();
  for (const EntryId& id : host.host.authorities) {
    if (const auto authority = table.authority(id)) digest.add(authority->blob);
  }
  return digest.value();
}

// What stands for the host in its zone's table; `found`: under which name.
std::optional<HostView> host_of(const ZoneTable& table, HostText& host,
                                std::string_view& found) noexcept {
  found = host.text();
  if (auto entry = table.host(found)) return entry;
  found = host.wildcard();
  if (!found.empty()) {
    if (auto entry = table.host(found)) return entry;
  }
  found = {};
  return table.host(found);
}

const snapshot::Record* zone_of(const snapshot::View& view, std::string_view name) noexcept {
  snapshot::NameKey key;
  if (name.empty() || !snapshot::set_key_from_text(key, view.hash_key(), name)) return nullptr;
  return view.lookup(key).encloser;
}

// The name of its zone, as on the wire.
std::span<const std::uint8_t> apex_of(const snapshot::View& view,
                                      const snapshot::Record& record) noexcept {
  return {view.name_bytes(record) + record.name_size - record.apex_size, record.apex_size};
}

}  // namespace

std::optional<ZoneTable> find_zone_table(const snapshot::View& view,
                                         std::string_view name) noexcept {
  const snapshot::Record* encloser = zone_of(view, name);
  if (encloser == nullptr) return {};
  return ZoneTable(view, *encloser);
}

std::optional<HostView> find_host(const snapshot::View& view, std::string_view name) noexcept {
  HostText host(name);
  const snapshot::Record* encloser = zone_of(view, host.text());
  if (encloser == nullptr) return {};
  std::string_view found;
  return host_of(ZoneTable(view, *encloser), host, found);
}

bool are_in_one_zone(const snapshot::View& view, std::string_view one,
                     std::string_view other) noexcept {
  const snapshot::Record* a = zone_of(view, one);
  const snapshot::Record* b = zone_of(view, other);
  if (a == nullptr || b == nullptr) return false;
  const auto apex_a = apex_of(view, *a);
  const auto apex_b = apex_of(view, *b);
  return std::equal(apex_a.begin(), apex_a.end(), apex_b.begin(), apex_b.end());
}

TlsHostVerdict find_tls_host(const snapshot::View& view, std::string_view name, std::int64_t now_s,
                             TlsHost& out) noexcept {
  HostText host(name);
  const snapshot::Record* encloser = zone_of(view, host.text());
  if (encloser == nullptr) return TlsHostVerdict::kUnknownName;
  const ZoneTable table(view, *encloser);
  std::string_view found;
  const auto entry = host_of(table, host, found);
  if (!entry || entry->certificates.empty()) return TlsHostVerdict::kNoCertificate;
  out.host = *entry;
  out.settings = table.settings();
  out.table = table;
  if (!choose_certificates(table, now_s, out)) return TlsHostVerdict::kBadBlob;
  Digest id(view.hash_key(), 0);
  id.add(apex_of(view, *encloser));
  id.add({reinterpret_cast<const std::uint8_t*>(found.data()), found.size()});
  out.id = id.value();
  out.version = version_of(view.hash_key(), table, out);
  return TlsHostVerdict::kFound;
}

}  // namespace brink::l7::route
