#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"

namespace brink::base {
namespace {

TEST(ByteReader, ReadsNetworkOrder) {
  const std::array<std::uint8_t, 7> wire = {1, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef};
  ByteReader reader(wire);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x1234);
  EXPECT_EQ(reader.u32(), 0xdeadbeefU);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, ErrorIsStickyAndReadsZero) {
  const std::array<std::uint8_t, 3> wire = {9, 9, 9};
  ByteReader reader(wire);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.position(), 0U);
  EXPECT_TRUE(reader.bytes(1).empty());
}

TEST(ByteWriter, RefusesToOverrun) {
  std::array<std::uint8_t, 3> out{};
  ByteWriter writer(out);
  writer.u16(0x0102);
  writer.u16(0x0304);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.position(), 2U);
  EXPECT_EQ(out[2], 0);
}

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::", "2001:db8:0:1::ff00:42"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->text().view(), text);
  }
  EXPECT_TRUE(IpAddress::parse("192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("2001:db8::1")->is_v4());
  EXPECT_EQ(IpAddress::parse("192.0.2.1"), IpAddress::v4(0xc0000201));
}

TEST(IpAddress, RefusesWhatIsNotExactlyAnAddress) {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "2001:db8::g", "1.2.3.4.5",
                           "2001:db8:0:0:0:0:0:0:1"}) {
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0x", 11)).has_value());
}

TEST(KeyedHash, DependsOnKeyLengthAndEveryByte) {
  HashKey key;
  for (std::size_t i = 0; i < sizeof key.bytes; ++i) key.bytes[i] = static_cast<std::uint8_t>(i);
  alignas(16) std::uint8_t data[48] = {};
  std::set<std::uint64_t> seen;
  for (std::size_t length = 0; length <= 33; ++length) seen.insert(keyed_hash(key, data, length));
  EXPECT_EQ(seen.size(), 34U);
  for (std::size_t i = 0; i < 33; ++i) {
    data[i] = 1;
    seen.insert(keyed_hash(key, data, 33));
    data[i] = 0;
  }
  EXPECT_EQ(seen.size(), 34U + 33U);
  const std::uint64_t before = keyed_hash(key, data, 33);
  key.bytes[5] ^= 1;
  EXPECT_NE(before, keyed_hash(key, data, 33));
}

TEST(Result, CarriesValueOrError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(good.value(), 7);
  const Result<int> bad = Error{"no such file", "zone.db", "give an existing path"};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message(), "zone.db: no such file (give an existing path)");
}

TEST(CheckDeathTest, NamesTheExpression) {
  EXPECT_DEATH(CHECK(1 == 2), "CHECK failed: 1 == 2");
}

}  // namespace
}  // namespace brink::base
