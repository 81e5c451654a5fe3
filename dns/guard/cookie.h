// DNS cookies (RFC 7873) as all servers of an address must make them alike (RFC 9018): a client
// that shows one was sent it at its own address, so its address is no forgery. Any thread. Hot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/ip.h"
#include "dns/guard/siphash.h"

namespace brink::dns::guard {

inline constexpr std::size_t kClientCookieSize = 8;
inline constexpr std::size_t kServerCookieSize = 16;
inline constexpr std::size_t kCookieSize = kClientCookieSize + kServerCookieSize;
inline constexpr std::size_t kSecretsMax = 3;

// The first makes cookies, any of them may have made one that comes back: so a new secret is put
// behind the present one on every server, then before it, then the old one goes (RFC 9018 5).
struct CookieSecrets {
  std::array<SipKey, kSecretsMax> keys{};
  std::uint8_t count = 0;  // at least 1
};

// The client's cookie (its first 8 octets) with a fresh server cookie behind.
void make_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> client_cookie,
                 const base::IpAddress& client, std::uint32_t unix_seconds,
                 std::span<std::uint8_t, kCookieSize> out) noexcept;

// Whether `cookie` (client and server cookie) was made here for this client within the last hour;
// the clocks of servers may be five minutes apart (RFC 9018 4.3).
bool is_good_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> cookie,
                    const base::IpAddress& client, std::uint32_t unix_seconds) noexcept;

}  // namespace brink::dns::guard
