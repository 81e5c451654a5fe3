// ZoneDnssec: whether and how a zone is signed; ZoneKey: one of the keys that it is signed with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"

namespace brink::ctl::model {

// kPending: signed, and the parent is not known to have the zone's DS. kPendingDisabled: still
// signed, until the parent is known to have none. kError: signed, and the parent has DS records of
// other keys alone, so that validating resolvers refuse the zone.
enum class DnssecStatus : std::uint8_t {
  kDisabled = 0,
  kPending = 1,
  kActive = 2,
  kPendingDisabled = 3,
  kError = 4,
};

std::string_view to_text(DnssecStatus status);
std::optional<DnssecStatus> dnssec_status_from_text(std::string_view text);

// By which records the zone proves that something is not there.
enum class ZoneDenial : std::uint8_t { kNsec = 0, kNsec3 = 1 };

// RFC 9276 3.1: no iterations, no salt.
inline constexpr std::uint16_t kNsec3Iterations = 0;

inline constexpr std::uint8_t kEcdsaP256Sha256 = 13;  // RFC 6605
inline constexpr std::uint8_t kEd25519 = 15;          // RFC 8080

// Part of the zone as it is stored; its keys are apart.
struct ZoneDnssec {
  DnssecStatus status = DnssecStatus::kDisabled;
  std::uint8_t algorithm = kEcdsaP256Sha256;  // of new keys
  bool split_keys = false;  // a key-signing and a zone-signing key, not one for both
  ZoneDenial denial = ZoneDenial::kNsec;
  bool multi_signer =
      false;  // others sign the zone too (RFC 8901): their DNSKEYs are among its records
  bool presigned = false;  // it comes with its signatures, and nothing is signed here
  bool opt_out =
      false;  // NSEC3 alone: delegations that are not signed are in no chain (RFC 5155 6)
  // Grow with every change of what the apex has for keys, and of which keys sign names; and with
  // every presigned zone that comes in, the latter.
  std::uint32_t key_set = 0;
  std::uint32_t signing_set = 0;
  // Of the zone's serials, how many came since its last change by signing names anew.
  std::uint32_t resigned = 0;
  std::optional<Timestamp> modified_on;  // by a user; empty: never

  bool operator==(const ZoneDnssec&) const = default;

  // Whether the node signs the zone.
  [[nodiscard]] bool is_signed() const { return status != DnssecStatus::kDisabled && !presigned; }
  // Whether names other than the apex must be signed anew, or not any more, where it was `other`.
  [[nodiscard]] bool differs_below_apex(const ZoneDnssec& other) const;
};

// `name=value` a line; only what differs from the defaults, so that these are "".
std::string to_text(const ZoneDnssec& dnssec);
// Empty: not such a text.
std::optional<ZoneDnssec> zone_dnssec_from_text(std::string_view text);

}  // namespace brink::ctl::model
