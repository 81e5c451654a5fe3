#include "ctl/certificate/key_kind.h"

#include <algorithm>
#include <array>

namespace brink::ctl::certificate {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kInteger = 0x02, kOid = 0x06, kSequence = 0x30, kVersion = 0xa0;

// Takes the element that `rest` starts with; its contents if it has this tag, else empty and
// nothing is taken.
std::optional<Bytes> take(Bytes& rest, std::uint8_t tag) {
  if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
  std::size_t head = 2, size = rest[1];
  if (size >= 0x80) {
    const std::size_t octets = size & 0x7f;
    if (octets == 0 || octets > 3 || rest.size() < 2 + octets) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < octets; ++i) size = size << 8 | rest[2 + i];
    head += octets;
  }
  if (size > rest.size() - head) return std::nullopt;
  const Bytes contents = rest.subspan(head, size);
  rest = rest.subspan(head + size);
  return contents;
}

// RFC 3279 2.3, RFC 5480 2.1.1, RFC 8410 3.
constexpr std::array<std::uint8_t, 9> kRsaOid = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                 0x0d, 0x01, 0x01, 0x01};
constexpr std::array<std::uint8_t, 7> kEcOid = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr std::array<std::uint8_t, 3> kEd25519Oid = {0x2b, 0x65, 0x70};

}  // namespace

std::optional<KeyKind> key_kind_of(Bytes der) {
  const auto certificate = take(der, kSequence);
  if (!certificate) return std::nullopt;
  Bytes rest = *certificate;
  const auto signed_part = take(rest, kSequence);
  if (!signed_part) return std::nullopt;
  rest = *signed_part;
  static_cast<void>(take(rest, kVersion));
  if (!take(rest, kInteger)) return std::nullopt;
  // Signature algorithm, issuer, validity, subject.
  for (int i = 0; i < 4; ++i) {
    if (!take(rest, kSequence)) return std::nullopt;
  }
  const auto key = take(rest, kSequence);
  if (!key) return std::nullopt;
  rest = *key;
  const auto algorithm = take(rest, kSequence);
  if (!algorithm) return std::nullopt;
  rest = *algorithm;
  const auto oid = take(rest, kOid);
  if (!oid) return std::nullopt;
  const auto is = [&](const auto& other) {
    return std::equal(oid->begin(), oid->end(), other.begin(), other.end());
  };
  if (is(kRsaOid)) return KeyKind::kRsa;
  if (is(kEcOid)) return KeyKind::kEcdsa;
  if (is(kEd25519Oid)) return KeyKind::kEd25519;
  return std::nullopt;
}

}  // namespace brink::ctl::certificate
