#include "dns/guard/cookie.h"

#include <cstring>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"

namespace brink::dns::guard {
namespace {

// The server cookie: OFFSET SIZE MEANING (RFC 9018 4)
//                    0      1    version
//                    1      3    reserved, zero
//                    4      4    when it was made, Unix seconds modulo 2^32
//                    8      8    hash of client cookie, the octets before, and the client's address
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHashed = kClientCookieSize + 8;
constexpr std::int32_t kAgeMax = 3600;
constexpr std::int32_t kAheadMax = 300;

// `head`: client cookie and the server cookie's first 8 octets.
std::uint64_t hash_of(const SipKey& key, const std::uint8_t* head,
                      const base::IpAddress& client) noexcept {
  std::uint8_t input[kHashed + 16];
  std::memcpy(input, head, kHashed);
  const auto& bytes = client.bytes();
  const std::size_t size = client.is_v4() ? 4 : 16;
  std::memcpy(input + kHashed, bytes.data() + bytes.size() - size, size);
  return siphash24(key, {input, kHashed + size});
}

}  // namespace

void make_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> client_cookie,
                 const base::IpAddress& client, std::uint32_t unix_seconds,
                 std::span<std::uint8_t, kCookieSize> out) noexcept {
  DCHECK(client_cookie.size() >= kClientCookieSize && secrets.count > 0);
  std::memmove(out.data(), client_cookie.data(), kClientCookieSize);
  base::store_be32(out.data() + 8, std::uint32_t{kVersion} << 24);
  base::store_be32(out.data() + 12, unix_seconds);
  const std::uint64_t hash = hash_of(secrets.keys[0], out.data(), client);
  std::memcpy(out.data() + kHashed, &hash, sizeof hash);
}

bool is_good_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> cookie,
                    const base::IpAddress& client, std::uint32_t unix_seconds) noexcept {
  if (cookie.size() != kCookieSize || cookie[8] != kVersion) return false;
  // Serial number arithmetic (RFC 1982), as the time is modulo 2^32.
  const auto age = static_cast<std::int32_t>(unix_seconds - base::load_be32(cookie.data() + 12));
  if (age > kAgeMax || age < -kAheadMax) return false;
  std::uint64_t shown = 0;
  std::memcpy(&shown, cookie.data() + kHashed, sizeof shown);
  bool good = false;
  for (std::size_t i = 0; i < secrets.count; ++i) {
    good |= hash_of(secrets.keys[i], cookie.data(), client) == shown;
  }
  return good;
}

}  // namespace brink::dns::guard
