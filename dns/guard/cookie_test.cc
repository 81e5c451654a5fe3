#include "dns/guard/cookie.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brink::dns::guard {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes hex(const std::string& text) {
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

SipKey key(const std::string& text) {
  SipKey out{};
  const Bytes bytes = hex(text);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

CookieSecrets secrets(const std::vector<std::string>& keys) {
  CookieSecrets all{};
  for (const std::string& text : keys) all.keys[all.count++] = key(text);
  return all;
}

base::IpAddress address(const char* text) {
  return *base::IpAddress::parse(text);
}

Bytes made(const CookieSecrets& with, const Bytes& client_cookie, const char* client,
           std::uint32_t now) {
  Bytes out(kCookieSize);
  make_cookie(with, client_cookie, address(client), now, std::span<std::uint8_t, kCookieSize>(out));
  return out;
}

const std::string kSecret = "e5e973e5a6b2a43f48e7dc849e37bfcf";

TEST(SipHash, GivesTheReferenceValues) {  // the paper's appendix A, and the vectors of its code
  const SipKey counting = key("000102030405060708090a0b0c0d0e0f");
  const Bytes fifteen = hex("000102030405060708090a0b0c0d0e");
  EXPECT_EQ(siphash24(counting, fifteen), 0xa129ca6149be45e5U);
  EXPECT_EQ(siphash24(counting, {}), 0x726fdb47dd0e0e31U);
}

TEST(Cookie, IsMadeAsEveryServerMakesIt) {  // RFC 9018 appendix A
  const auto one = secrets({kSecret});
  EXPECT_EQ(made(one, hex("2464c4abcf10c957"), "198.51.100.100", 1559731985),
            hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"));
  EXPECT_EQ(made(one, hex("2464c4abcf10c957"), "198.51.100.100", 1559734385),
            hex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
  EXPECT_EQ(made(one, hex("fc93fc62807ddb86"), "203.0.113.203", 1559734700),
            hex("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"));
  EXPECT_EQ(made(secrets({"445536bcd2513298075a5d379663c962"}), hex("22681ab97d52c298"),
                 "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961),
            hex("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
}

TEST(Cookie, ReservedOctetsAreHashedAsTheyCame) {  // RFC 9018 appendix A.3
  EXPECT_TRUE(is_good_cookie(secrets({kSecret}),
                             hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"),
                             address("203.0.113.203"), 1559727985));
}

TEST(Cookie, SecretsRollOver) {  // RFC 9018 5, appendix A.4
  const Bytes old = hex("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
  const auto client = address("2001:db8:220:1:59de:d0f4:8769:82b8");
  const auto both =
      secrets({"445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"});
  EXPECT_TRUE(is_good_cookie(both, old, client, 1559741961));
  EXPECT_FALSE(
      is_good_cookie(secrets({"445536bcd2513298075a5d379663c962"}), old, client, 1559741961));
}

TEST(Cookie, GoesBadWithTimeAddressAndEveryBit) {
  const auto one = secrets({kSecret});
  const auto client = address("198.51.100.100");
  const std::uint32_t now = 4000;  // around the wrap of the clock, too
  for (const std::uint32_t then : {4000U, 4294966000U}) {
    const Bytes cookie = made(one, hex("0102030405060708"), "198.51.100.100", then);
    EXPECT_TRUE(is_good_cookie(one, cookie, client, then));
    EXPECT_TRUE(is_good_cookie(one, cookie, client, then + 3600));
    EXPECT_FALSE(is_good_cookie(one, cookie, client, then + 3601));
    EXPECT_TRUE(is_good_cookie(one, cookie, client, then - 300));
    EXPECT_FALSE(is_good_cookie(one, cookie, client, then - 301));
    EXPECT_FALSE(is_good_cookie(one, cookie, address("198.51.100.101"), then));
  }
  const Bytes cookie = made(one, hex("0102030405060708"), "198.51.100.100", now);
  for (std::size_t bit = 0; bit < cookie.size() * 8; ++bit) {
    Bytes other = cookie;
    other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(is_good_cookie(one, other, client, now)) << bit;
  }
  EXPECT_FALSE(is_good_cookie(one, {cookie.data(), 23}, client, now));
  EXPECT_FALSE(is_good_cookie(one, {cookie.data(), 8}, client, now));
}

}  // namespace
}  // namespace brink::dns::guard
