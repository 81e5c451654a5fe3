#include "dataplane/snapshot/nsec3_hash.h"

#include <immintrin.h>

// SHA1() fetches its implementation anew with every call, which allocates; these do not.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "dataplane/base/bytes.h"

namespace brink::snapshot {
namespace {

// 5 octets are 8 digits, of 5 bits each.
std::uint64_t digits_of(const std::uint8_t* octets) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t bits = 0;
  for (int i = 0; i < 5; ++i) bits = bits << 8 | octets[i];
  const std::uint64_t values = _pdep_u64(bits, 0x1f * kOnes);
  // 0x80 in those that are 10 or more, which are letters; then 1.
  const std::uint64_t letters = ((values + (0x80 - 10) * kOnes) & (kOnes << 7)) >> 7;
  return values + '0' * kOnes + letters * ('a' - 10 - '0');
}

}  // namespace

void nsec3_label(std::span<const std::uint8_t> name, std::uint16_t iterations,
                 std::span<const std::uint8_t> salt,
                 std::uint8_t (&label)[kNsec3LabelSize]) noexcept {
  std::uint8_t digest[kNsec3DigestSize];
  std::span<const std::uint8_t> input = name;
  for (unsigned round = 0; round <= iterations; ++round) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, input.data(), input.size());
    if (!salt.empty()) SHA1_Update(&context, salt.data(), salt.size());
    SHA1_Final(digest, &context);
    input = digest;
  }
  nsec3_digits(digest, label);
}

void nsec3_digits(const std::uint8_t (&digest)[kNsec3DigestSize],
                  std::uint8_t (&label)[kNsec3LabelSize]) noexcept {
  for (int i = 0; i < 4; ++i) base::store_be64(label + 8 * i, digits_of(digest + 5 * i));
}

}  // namespace brink::snapshot
