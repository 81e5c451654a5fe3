// Stapling: what is known of a certificate's OCSP response (RFC 6960), which clients are shown with
// it. Values and rules about when to ask; what a response says is read by ctl/certificate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/model/id.h"

namespace brink::ctl::model {

enum class OcspStatus : std::uint8_t { kGood = 0, kRevoked = 1 };

// Times are seconds since 1970.
struct Stapling {
  Id certificate;
  Id zone;
  std::string fingerprint;                // of the certificate that the rest is about
  std::string responder;                  // URL; empty: it names none, or nobody has looked yet
  std::vector<std::uint8_t> response;     // DER, the last good one; empty: none
  OcspStatus status = OcspStatus::kGood;  // what the response says
  std::int64_t this_update_s = 0;
  std::int64_t next_update_s = 0;
  std::int64_t fetched_on_s = 0;  // 0: never
  std::int64_t look_on_s = 0;     // when to ask again; kNoLook: never
  std::uint32_t failures = 0;     // in a row
  std::string fault;              // of the last look; empty: none
};

inline constexpr std::int64_t kNoLook = INT64_MAX;

// When to ask again: half-way to the end of the response, a tenth sooner or later. `random` is any
// number.
std::int64_t next_look(std::int64_t now_s, std::int64_t next_update_s, std::uint32_t random);
// After so many failures in a row, at least 1: 10 s, twice that, ... an hour, and up to a quarter
// more.
std::int64_t retry_look(std::int64_t now_s, std::uint32_t failures, std::uint32_t random);

}  // namespace brink::ctl::model
