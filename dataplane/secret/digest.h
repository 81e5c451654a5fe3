// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), and text made of random octets. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace brink::secret {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view text);
Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> data);

// Fills a span with random octets; see model::Entropy.
using Entropy = std::function<void(std::span<std::uint8_t>)>;

// `size` characters of A-Z a-z 0-9 - _ with 6 bits of entropy each.
std::string random_text(const Entropy& entropy, std::size_t size);
// `size` characters of 0-9 a-f with 4 bits of entropy each.
std::string random_hex(const Entropy& entropy, std::size_t size);

}  // namespace brink::secret
