// The keys of a zone's table in the snapshot, as far as this folder's blobs are in it. A key is the
// octet of its group and then what is said here; no key of a group is the beginning of another.
//
//   GROUP              BEHIND IT                         VALUE
//   s  settings        nothing                           settings_layout.h
//   c  certificate     id                                CertificateLayout
//   h  host            host, "*.host" or nothing         HostLayout
//   a  authority       id                                AnchorsLayout
//   v  revoked         id of the authority, serial       RevokedLayout
//   o  origin pull     host, or nothing for the zone     OriginPullLayout
//   t  trust store     nothing                           AnchorsLayout
//   r  rules           RulePhase                         RulesLayout
//   p  error page      PageKind                          its text (l7/page), zeros behind it
//
// Hosts are lower-case text without a final dot. A serial is its octets, the most significant first,
// without leading zeros.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/snapshot/layout.h"
#include "l7/route/rules_layout.h"

namespace brink::l7::route {

using EntryId = std::array<std::uint8_t, 16>;

enum class TableGroup : std::uint8_t {
  kSettings = 's',
  kCertificate = 'c',
  kHost = 'h',
  kAuthority = 'a',
  kRevoked = 'v',
  kOriginPull = 'o',
  kTrustStore = 't',
  kRules = 'r',
  kErrorPage = 'p',
};

// Which errors a page is for.
enum class PageKind : std::uint8_t {
  kServer,   // with a status of 5xx
  kRefusal,  // with a code of four digits
};
inline constexpr std::size_t kPageKinds = 2;

inline constexpr std::size_t kHostMax = 253;
inline constexpr std::size_t kSerialMax = 64;  // more than RFC 5280 4.1.2.2 allows

class TableKey {
 public:
  explicit TableKey(TableGroup group) noexcept : size_(1) {
    octets_[0] = static_cast<std::uint8_t>(group);
  }
  // At most kHostMax octets; what is behind them is left out.
  TableKey& add(std::string_view text) noexcept {
    return add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  TableKey& add(std::span<const std::uint8_t> octets) noexcept {
    const std::size_t room = octets_.size() - size_;
    const std::size_t size = octets.size() < room ? octets.size() : room;
    if (size > 0) std::memcpy(octets_.data() + size_, octets.data(), size);
    size_ += size;
    return *this;
  }
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
    return std::span(octets_).first(size_);
  }

 private:
  std::array<std::uint8_t, snapshot::kTableKeyMax> octets_;
  std::size_t size_;
};

inline TableKey key_of(TableGroup group, std::span<const std::uint8_t> octets) noexcept {
  return TableKey(group).add(octets);
}
inline TableKey key_of(TableGroup group, std::string_view host) noexcept {
  return TableKey(group).add(host);
}
inline TableKey rules_key(RulePhase phase) noexcept {
  const auto octet = static_cast<std::uint8_t>(phase);
  return TableKey(TableGroup::kRules).add(std::span(&octet, 1));
}
inline TableKey page_key(PageKind kind) noexcept {
  const auto octet = static_cast<std::uint8_t>(kind);
  return TableKey(TableGroup::kErrorPage).add(std::span(&octet, 1));
}
inline TableKey revoked_key(const EntryId& authority,
                            std::span<const std::uint8_t> serial) noexcept {
  return TableKey(TableGroup::kRevoked).add(authority).add(serial);
}

}  // namespace brink::l7::route
