// find_tls_host: the name that a client wants (SNI) to what it is shown, in the same name table that
// DNS answers from. Hot; any thread; nothing allocates.
//
// The zone is that of the longest suffix of the name in the table. In the zone's own table: the host
// itself; else "*." of the name above it, which covers one label exactly (RFC 6125 6.4.3) where DNS
// wildcards cover many; else the zone's default.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "l7/route/zone_table.h"

namespace brink::l7::route {

enum class TlsHostVerdict : std::uint8_t {
  kFound,
  kUnknownName,     // of no zone, or no name at all
  kNoCertificate,   // the zone has none for it
  kBadBlob,         // it has, but what stands there is refused: a rendering bug, for the caller to count
};

// One of each: ECDSA or Ed25519, and RSA.
inline constexpr std::size_t kShownMax = 2;

// Borrows from the snapshot.
struct TlsHost {
  // Names what follows for good: an equal pair means equal contents, those of authorities included.
  // `id` is of the zone and the host or wildcard, `version` of what it has.
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  SettingsLayout settings;
  HostView host;
  // The first of each kind that is not expired, else the first of each kind; without an OCSP
  // response whose time is over.
  std::array<CertificateView, kShownMax> certificates;
  std::size_t certificate_count = 0;
  // The zone's table, for authorities, revocation and origin pulls. Use it within the burst.
  std::optional<ZoneTable> table;
};

// `name` has no final dot; case does not matter. `now_s`: seconds since 1970. `view` outlives `out`.
TlsHostVerdict find_tls_host(const snapshot::View& view, std::string_view name, std::int64_t now_s,
                             TlsHost& out) noexcept;

// What the name's zone has for it: the host, "*." of the name above, or the default.
std::optional<HostView> find_host(const snapshot::View& view, std::string_view name) noexcept;

// Whether both names are in the same zone of the image, which is that of the longest suffix in the
// table: a name of a zone that is delegated to another is not in the one above. False: one is in
// none.
bool are_in_one_zone(const snapshot::View& view, std::string_view one,
                     std::string_view other) noexcept;

// The table of the zone that a name is in; empty: it is in none.
std::optional<ZoneTable> find_zone_table(const snapshot::View& view, std::string_view name) noexcept;

}  // namespace brink::l7::route
