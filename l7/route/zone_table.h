// ZoneTable: what a zone's table in the snapshot says about settings and TLS, by key. Hot; any thread;
// nothing allocates. It, and all that it gives, borrows from the snapshot and ends with the burst.
//
// Every blob is checked where it is opened: a rendering bug becomes a value that is not there, and no
// wild read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/snapshot/view.h"
#include "l7/route/settings_layout.h"
#include "l7/route/table_key.h"
#include "l7/route/tls_layout.h"

namespace brink::l7::route {

struct CertificateView {
  EntryId id{};
  KeyKind key_kind = KeyKind::kEcdsa;
  std::int64_t not_before = 0;  // seconds since 1970
  std::int64_t not_after = 0;
  std::size_t chain_count = 0;
  std::span<const std::uint8_t> chain;       // DER, one behind the other, leaf first
  std::span<const std::uint8_t> sealed_key;  // PKCS #8 in PEM, in a box of dataplane/secret
  std::span<const std::uint8_t> ocsp;        // DER; empty: none
  std::int64_t ocsp_until = 0;               // seconds since 1970
  std::string_view key_context;              // what the box opens with
  std::span<const std::uint8_t> blob;        // all of it
};

struct HostView {
  bool asks_client = false;
  bool forwards_certificate = false;             // to the host's origins, where it is good
  std::span<const CertificateRef> certificates;  // in order of preference
  std::span<const EntryId> authorities;
  std::span<const std::uint8_t> blob;
};

struct AnchorsView {
  std::size_t count = 0;
  std::span<const std::uint8_t> der;  // one behind the other
  std::span<const std::uint8_t> blob;
};

struct OriginPull {
  enum class From : std::uint8_t { kNone, kTable, kOperator };
  From from = From::kNone;
  EntryId certificate{};  // of kTable
};

// Each says what a blob holds; empty: it is none. `blob` starts at a multiple of 8.
std::optional<CertificateView> open_certificate(std::span<const std::uint8_t> blob) noexcept;
std::optional<HostView> open_host(std::span<const std::uint8_t> blob) noexcept;
std::optional<AnchorsView> open_anchors(std::span<const std::uint8_t> blob) noexcept;
std::optional<OriginPull> open_origin_pull(std::span<const std::uint8_t> blob) noexcept;
bool is_revoked_mark(std::span<const std::uint8_t> blob) noexcept;
std::optional<SettingsLayout> open_settings(std::span<const std::uint8_t> blob) noexcept;
// Whether a value may stand under this key.
bool is_good_value(std::span<const std::uint8_t> key, std::span<const std::uint8_t> blob) noexcept;

class ZoneTable {
 public:
  // Of the zone that a record belongs to.
  ZoneTable(const snapshot::View& view, const snapshot::Record& record) noexcept
      : view_(&view), table_(snapshot::View::table(view.zone(record))) {}

  // The defaults, where the zone says nothing.
  [[nodiscard]] SettingsLayout settings() const noexcept;
  [[nodiscard]] std::optional<CertificateView> certificate(const EntryId& id) const noexcept;
  // Of exactly this host, "*.parent" or "" (the zone's default).
  [[nodiscard]] std::optional<HostView> host(std::string_view host) const noexcept;
  [[nodiscard]] std::optional<AnchorsView> authority(const EntryId& id) const noexcept;
  [[nodiscard]] bool is_revoked(const EntryId& authority,
                                std::span<const std::uint8_t> serial) const noexcept;
  // What origins of the host are shown: as the host says, else the zone, else its settings.
  [[nodiscard]] OriginPull origin_pull(std::string_view host) const noexcept;
  // Whom to trust instead of the edge's own store for origins; empty: the edge's own.
  [[nodiscard]] std::optional<AnchorsView> trust_store() const noexcept;
  // The blob of the phase's rules, for RulesView; empty: there are none.
  [[nodiscard]] std::span<const std::uint8_t> rules(RulePhase phase) const noexcept {
    return value(rules_key(phase));
  }

  // The text of the zone's own page for such errors; empty: there is none.
  [[nodiscard]] std::string_view error_page(PageKind kind) const noexcept {
    const std::span<const std::uint8_t> blob = value(page_key(kind));
    std::size_t size = blob.size();
    while (size > 0 && blob[size - 1] == 0) --size;
    return {reinterpret_cast<const char*>(blob.data()), size};
  }

 private:
  [[nodiscard]] std::span<const std::uint8_t> value(const TableKey& key) const noexcept;

  const snapshot::View* view_;
  const snapshot::Tree* table_;  // null: the zone has none
};

}  // namespace brink::l7::route
