#include "dns/answer/nsec3_hash.h"

// SHA1() fetches its implementation anew with every call, which allocates; these do not.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace brink::dns::answer {
namespace {

// 5 octets are 8 digits.
void put_digits(const std::uint8_t* octets, std::uint8_t* digits) noexcept {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";
  std::uint64_t value = 0;
  for (int i = 0; i < 5; ++i) value = value << 8 | octets[i];
  for (int i = 7; i >= 0; --i, value >>= 5) {
    digits[i] = static_cast<std::uint8_t>(kDigits[value & 31]);
  }
}

}  // namespace

void nsec3_label(std::span<const std::uint8_t> name, std::uint16_t iterations,
                 std::span<const std::uint8_t> salt,
                 std::uint8_t (&label)[kNsec3LabelSize]) noexcept {
  std::uint8_t digest[SHA_DIGEST_LENGTH];
  std::span<const std::uint8_t> input = name;
  for (unsigned round = 0; round <= iterations; ++round) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, input.data(), input.size());
    if (!salt.empty()) SHA1_Update(&context, salt.data(), salt.size());
    SHA1_Final(digest, &context);
    input = digest;
  }
  for (int i = 0; i < 4; ++i) put_digits(digest + 5 * i, label + 8 * i);
}

}  // namespace brink::dns::answer
