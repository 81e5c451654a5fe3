#include "dns/dnssec/algorithm.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace brink::dns::dnssec {
namespace {

constexpr std::array kAll = {Algorithm::kRsaSha256, Algorithm::kRsaSha512,
                             Algorithm::kEcdsaP256Sha256, Algorithm::kEcdsaP384Sha384,
                             Algorithm::kEd25519};

bool is_same_text(std::string_view text, std::string_view mnemonic) {
  return std::equal(text.begin(), text.end(), mnemonic.begin(), mnemonic.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

}  // namespace

std::optional<Algorithm> algorithm_from_number(std::uint8_t number) {
  for (const Algorithm algorithm : kAll) {
    if (static_cast<std::uint8_t>(algorithm) == number) return algorithm;
  }
  return std::nullopt;
}

std::optional<Algorithm> algorithm_from_text(std::string_view text) {
  for (const Algorithm algorithm : kAll) {
    if (is_same_text(text, to_text(algorithm))) return algorithm;
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return algorithm_from_number(number);
}

std::string_view to_text(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRsaSha256:
      return "RSASHA256";
    case Algorithm::kRsaSha512:
      return "RSASHA512";
    case Algorithm::kEcdsaP256Sha256:
      return "ECDSAP256SHA256";
    case Algorithm::kEcdsaP384Sha384:
      return "ECDSAP384SHA384";
    case Algorithm::kEd25519:
      return "ED25519";
  }
  return "";
}

}  // namespace brink::dns::dnssec
