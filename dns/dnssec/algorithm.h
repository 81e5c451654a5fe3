// The signature algorithms that zones are signed with here (IANA "DNS Security Algorithm Numbers",
// RFC 8624 3.1: those that may be used for signing). Cold. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brink::dns::dnssec {

enum class Algorithm : std::uint8_t {
  kRsaSha256 = 8,         // RFC 5702
  kRsaSha512 = 10,        // RFC 5702
  kEcdsaP256Sha256 = 13,  // RFC 6605
  kEcdsaP384Sha384 = 14,  // RFC 6605
  kEd25519 = 15,          // RFC 8080
};

// Empty: not one of ours.
std::optional<Algorithm> algorithm_from_number(std::uint8_t number);
// The mnemonic of the registry ("ECDSAP256SHA256"), any case, or the number in decimal.
std::optional<Algorithm> algorithm_from_text(std::string_view text);
// The mnemonic.
std::string_view to_text(Algorithm algorithm);

}  // namespace brink::dns::dnssec
