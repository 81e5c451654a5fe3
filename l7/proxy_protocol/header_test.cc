#include "l7/proxy_protocol/header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brink::l7::proxy_protocol {
namespace {

using Octets = std::vector<std::uint8_t>;

base::IpAddress ip(const char* text) {
  return *base::IpAddress::parse(text);
}
Octets octets(std::string_view text) {
  return {text.begin(), text.end()};
}
Verdict read(std::string_view text, Header& out) {
  return read_header(octets(text), out);
}
Verdict verdict_of(const Octets& bytes) {
  Header header;
  return read_header(bytes, header);
}
Verdict verdict_of(std::string_view text) {
  return verdict_of(octets(text));
}

const Octets kSignature = octets(std::string_view("\r\n\r\n\0\r\nQUIT\n", 12));

// A header of version 2 whose length field counts `rest`.
Octets v2(std::uint8_t command, std::uint8_t family, const Octets& rest) {
  Octets out = kSignature;
  out.push_back(command);
  out.push_back(family);
  out.push_back(static_cast<std::uint8_t>(rest.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(rest.size()));
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}
const Octets kV4 = {198, 51, 100, 7, 192, 0, 2, 1, 0x9c, 0x40, 0, 80};
const Addresses kV4Addresses{{ip("198.51.100.7"), 40000}, {ip("192.0.2.1"), 80}};
const Addresses kV6Addresses{{ip("2001:db8::7"), 40000}, {ip("2001:db8:a::1"), 443}};

TEST(ReadV1, TellsBothEnds) {
  Header header;
  ASSERT_EQ(read("PROXY TCP4 198.51.100.7 192.0.2.1 40000 80\r\nGET / HTTP/1.1\r\n", header),
            Verdict::kOk);
  EXPECT_EQ(header.version, Version::kV1);
  EXPECT_EQ(header.size, 44U);
  EXPECT_EQ(header.addresses, kV4Addresses);
  ASSERT_EQ(read("PROXY TCP6 2001:db8::7 2001:db8:a::1 40000 443\r\n", header), Verdict::kOk);
  EXPECT_EQ(header.addresses, kV6Addresses);
  ASSERT_EQ(read("PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.1 40000 80\r\n", header),
            Verdict::kOk);
  EXPECT_EQ(header.addresses, kV4Addresses);
}

TEST(ReadV1, UnknownSaysNothing) {
  for (const char* line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f ffff 65535 1\r\n"}) {
    Header header;
    ASSERT_EQ(read(line, header), Verdict::kOk) << line;
    EXPECT_FALSE(header.addresses.has_value());
    EXPECT_EQ(header.size, std::string(line).size());
  }
}

TEST(ReadV1, RefusesWhatIsNoLine) {
  for (const char* text : {"GET / HTTP/1.1\r\n",
                           "PROXY\r\n",
                           "PROXY  TCP4 198.51.100.7 192.0.2.1 1 2\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 1\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 1 2 \r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 1 2 3\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 1 2\n",
                           "PROXY TCP4 198.51.100.7  192.0.2.1 1 2\r\n",
                           "PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 65536 2\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 01 2\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 -1 2\r\n",
                           "PROXY TCP4 198.51.100.7 192.0.2.1 +1 2\r\n",
                           "PROXY TCP4 198.51.100 192.0.2.1 1 2\r\n",
                           "PROXY UDP4 198.51.100.7 192.0.2.1 1 2\r\n",
                           "proxy TCP4 198.51.100.7 192.0.2.1 1 2\r\n",
                           "PROXY TCP4 198.51.100.7\r192.0.2.1 1 2\r\n",
                           "PROXY TCP4\r\n",
                           "PROXY \n",
                           "P ROXY"}) {
    EXPECT_EQ(verdict_of(std::string_view(text)), Verdict::kMalformed) << text;
  }
}

TEST(ReadV1, IsBounded) {
  const std::string start = "PROXY UNKNOWN ";
  const std::string longest = start + std::string(kV1SizeMax - start.size() - 2, 'x') + "\r\n";
  EXPECT_EQ(verdict_of(longest), Verdict::kOk);
  EXPECT_EQ(verdict_of(start + "x" + longest.substr(start.size())), Verdict::kMalformed);
  EXPECT_EQ(verdict_of(longest.substr(0, kV1SizeMax - 1)), Verdict::kIncomplete);
}

TEST(ReadV2, TellsBothEnds) {
  Header header;
  Octets bytes = v2(0x21, 0x11, kV4);
  bytes.push_back('G');
  ASSERT_EQ(read_header(bytes, header), Verdict::kOk);
  EXPECT_EQ(header.version, Version::kV2);
  EXPECT_EQ(header.size, 28U);
  EXPECT_EQ(header.addresses, kV4Addresses);
}

TEST(ReadV2, SkipsTlvsUnread) {
  Octets rest = kV4;
  rest.resize(kV2SizeMax - 16, 0xee);
  const Octets bytes = v2(0x21, 0x11, rest);
  Header header;
  ASSERT_EQ(read_header(std::span(bytes).first(kLookMax), header), Verdict::kOk);
  EXPECT_EQ(header.size, kV2SizeMax);
  EXPECT_EQ(header.addresses, kV4Addresses);
  rest.push_back(0);
  EXPECT_EQ(verdict_of(v2(0x21, 0x11, rest)), Verdict::kMalformed);
}

TEST(ReadV2, SaysNothingOfLocalAndOtherFamilies) {
  const std::pair<std::uint8_t, std::uint8_t> cases[] = {{0x20, 0x00}, {0x20, 0x11}, {0x20, 0xff},
                                                         {0x21, 0x00}, {0x21, 0x12}, {0x21, 0x22},
                                                         {0x21, 0x31}, {0x21, 0x32}};
  for (const auto& [command, family] : cases) {
    Header header;
    ASSERT_EQ(read_header(v2(command, family, Octets(216, 1)), header), Verdict::kOk)
        << int{command} << " " << int{family};
    EXPECT_EQ(header.size, 232U);
    EXPECT_FALSE(header.addresses.has_value());
  }
  EXPECT_EQ(verdict_of(v2(0x20, 0x00, {})), Verdict::kOk);
}

TEST(ReadV2, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(verdict_of(v2(0x22, 0x11, kV4)), Verdict::kMalformed);
  EXPECT_EQ(verdict_of(v2(0x11, 0x11, kV4)), Verdict::kMalformed);
  EXPECT_EQ(verdict_of(v2(0x31, 0x11, kV4)), Verdict::kMalformed);
  for (const std::uint8_t family : Octets{0x01, 0x10, 0x13, 0x20, 0x41, 0xff}) {
    EXPECT_EQ(verdict_of(v2(0x21, family, Octets(216, 1))), Verdict::kMalformed) << int{family};
  }
  EXPECT_EQ(verdict_of(v2(0x21, 0x11, Octets(11, 1))), Verdict::kMalformed);
  EXPECT_EQ(verdict_of(v2(0x21, 0x21, Octets(35, 1))), Verdict::kMalformed);
  EXPECT_EQ(verdict_of(v2(0x21, 0x31, Octets(215, 1))), Verdict::kMalformed);
  Octets bytes = v2(0x21, 0x11, kV4);
  bytes[11] = '\r';
  EXPECT_EQ(verdict_of(bytes), Verdict::kMalformed);
}

// Any cut says that more must come; one octet after the other reads as all at once.
TEST(WriteHeader, IsReadBackAndNeverBeforeItsEnd) {
  for (const Version version : {Version::kV1, Version::kV2}) {
    for (const Addresses& addresses :
         {kV4Addresses, kV6Addresses,
          Addresses{{ip("198.51.100.7"), 0}, {ip("2001:db8::1"), 65535}},
          Addresses{{ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535},
                    {ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535}}}) {
      std::array<std::uint8_t, kWrittenMax> out;
      const std::size_t size = write_header(version, addresses, out);
      ASSERT_LE(size, out.size());
      const Octets bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
      for (std::size_t cut = 0; cut < size; ++cut) {
        ASSERT_EQ(verdict_of(Octets(bytes.begin(), bytes.begin() + cut)), Verdict::kIncomplete);
      }
      Header header;
      ASSERT_EQ(read_header(bytes, header), Verdict::kOk);
      EXPECT_EQ(header.version, version);
      EXPECT_EQ(header.size, size);
      EXPECT_EQ(header.addresses, addresses);
    }
  }
}

TEST(WriteHeader, HasTheProtocolsForm) {
  std::array<std::uint8_t, kWrittenMax> out;
  std::size_t size = write_header(Version::kV1, kV4Addresses, out);
  EXPECT_EQ(std::string(out.begin(), out.begin() + size),
            "PROXY TCP4 198.51.100.7 192.0.2.1 40000 80\r\n");
  size = write_header(Version::kV1, {kV4Addresses.source, kV6Addresses.destination}, out);
  EXPECT_EQ(std::string(out.begin(), out.begin() + size),
            "PROXY TCP6 ::ffff:198.51.100.7 2001:db8:a::1 40000 443\r\n");
  size = write_header(Version::kV2, kV4Addresses, out);
  EXPECT_EQ(Octets(out.begin(), out.begin() + size), v2(0x21, 0x11, kV4));
}

}  // namespace
}  // namespace brink::l7::proxy_protocol
