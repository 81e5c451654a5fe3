// The control side of what the edge knows for TLS: certificates, hosts, authorities and settings to
// the blobs of a zone's table (l7/route: table_key.h, tls_layout.h, settings_layout.h). Cold; it
// allocates. Deterministic: equal input gives equal bytes. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "l7/route/settings_layout.h"
#include "l7/route/table_key.h"
#include "l7/route/tls_layout.h"

namespace brink::l7::render {

using Bytes = std::vector<std::uint8_t>;

struct CertificateSpec {
  route::EntryId id{};
  route::KeyKind key_kind = route::KeyKind::kEcdsa;
  std::int64_t not_before_s = 0;  // since 1970
  std::int64_t not_after_s = 0;
  std::size_t chain_count = 0;
  std::span<const std::uint8_t> chain;       // DER, one behind the other, leaf first
  std::span<const std::uint8_t> sealed_key;  // not empty
  std::span<const std::uint8_t> ocsp;        // DER; empty: none
  std::int64_t ocsp_until_s = 0;             // since 1970
  std::string key_context;
};

struct HostCertificate {
  route::EntryId id{};
  std::int64_t not_after_s = 0;
  route::KeyKind key_kind = route::KeyKind::kEcdsa;
};

struct HostSpec {
  std::vector<HostCertificate> certificates;  // in order of preference
  std::vector<route::EntryId> authorities;
  bool asks_client = false;
  bool forwards_certificate = false;
};

// Precondition (CHECK) of each: the result opens (zone_table.h). A host's certificates and
// authorities beyond the layout's limits are left out.
Bytes render_certificate(const CertificateSpec& spec);
Bytes render_host(const HostSpec& spec);
Bytes render_anchors(std::span<const std::uint8_t> der, std::size_t count);
Bytes render_origin_pull(bool is_on, const route::EntryId& certificate);
Bytes render_revoked();
Bytes render_settings(const route::SettingsLayout& settings);
Bytes render_error_page(std::string_view text);  // not empty; zeros at its end are lost

}  // namespace brink::l7::render
