// What is rendered is read back as it was given.
#include <gtest/gtest.h>

#include "dns/render/blob_reader.h"
#include "dns/render/blob_writer.h"
#include "dns/render/render.h"
#include "dns/zone/text.h"
#include "dns/zone/zone.h"
#include "dns/zone/zone_file.h"

namespace brink::dns::render {
namespace {

using zone::Wire;
using Texts = std::vector<std::string>;

constexpr std::string_view kZone =
    "$TTL 3600\n"
    "@ IN SOA ns1 hostmaster 7 10000 2400 604800 1800\n"
    "@ NS ns1\n"
    "@ MX 10 Mail\n"
    "@ MX 20 mail.example.net.\n"
    "ns1 A 192.0.2.1\n"
    "mail AAAA 2001:db8::25\n"
    "www 60 A 192.0.2.2\n"
    "www 60 A 192.0.2.3\n"
    "alias CNAME www\n"
    "away CNAME www.example.net.\n"
    "* TXT \"any\" \"thing\"\n"
    "_sip._tcp SRV 1 2 5060 mail\n"
    "sub NS ns.sub\n"
    "sub NS ns.example.net.\n"
    "ns.sub A 192.0.2.9\n"
    "svc HTTPS 1 . alpn=\"h2\" ipv4hint=192.0.2.7\n"
    "odd TYPE65400 \\# 3 010203\n";

Wire name(const std::string& text) {
  return zone::name_from_text(text).value();
}

Texts texts(const std::vector<zone::ResourceRecord>& records) {
  Texts out;
  for (const auto& record : records) {
    out.push_back(zone::name_to_text(record.owner) + " " + std::to_string(record.ttl) + " " +
                  zone::type_to_text(record.type) + " " +
                  zone::rdata_to_text(record.type, record.rdata).value());
  }
  return out;
}

class BlobTest : public ::testing::Test {
 protected:
  static base::Result<zone::Zone> make_zone() {
    std::vector<zone::ResourceRecord> records;
    const auto parsed =
        zone::parse_zone_file(kZone, name("example.com."), 300, [&](const auto& line) {
          records.push_back(line.record);
          return base::Result<void>{};
        });
    EXPECT_TRUE(parsed.ok()) << parsed.error().message();
    return zone::Zone::build(name("example.com."), records);
  }
  [[nodiscard]] Bytes blob(const std::string& owner, std::uint16_t type) const {
    const auto find = [this](const Wire& wanted) -> std::optional<zone::Node> {
      const zone::Node* node = zone_.find(wanted);
      return node == nullptr ? std::nullopt : std::optional(*node);
    };
    const auto sets = render_name(zone_.apex(), *zone_.find(name(owner)), find).value();
    for (const auto& set : sets) {
      if (set.type == type) return set.blob;
    }
    return {};
  }
  [[nodiscard]] BlobContents read(const std::string& owner, std::uint16_t type) const {
    const auto contents = read_blob(blob(owner, type), name(owner), zone_.apex());
    EXPECT_TRUE(contents.ok()) << contents.error().message();
    return contents.ok() ? contents.value() : BlobContents{};
  }

  const base::Result<zone::Zone> built_ = make_zone();
  const zone::Zone& zone_ = built_.value();
};

TEST_F(BlobTest, ASetOfAddresses) {
  const BlobContents contents = read("www.example.com.", zone::kTypeA);
  EXPECT_EQ(texts(contents.body),
            (Texts{"www.example.com. 60 A 192.0.2.2", "www.example.com. 60 A 192.0.2.3"}));
  EXPECT_TRUE(contents.required.empty() && contents.optional.empty());
  EXPECT_TRUE(contents.target.empty());
}

TEST_F(BlobTest, NamesAreSpelledOutAndWhatRidesAlongIsTold) {
  const BlobContents mail = read("example.com.", zone::kTypeMx);
  EXPECT_EQ(texts(mail.body), (Texts{"example.com. 3600 MX 10 Mail.example.com.",
                                     "example.com. 3600 MX 20 mail.example.net."}));
  EXPECT_EQ(texts(mail.optional), (Texts{"Mail.example.com. 3600 AAAA 2001:db8::25"}));
  const BlobContents service = read("_sip._tcp.example.com.", zone::kTypeSrv);
  EXPECT_EQ(texts(service.body),
            (Texts{"_sip._tcp.example.com. 3600 SRV 1 2 5060 mail.example.com."}));
  EXPECT_EQ(service.optional.size(), 1U);
}

TEST_F(BlobTest, TheGlueOfADelegationIsRequired) {
  const BlobContents contents = read("sub.example.com.", zone::kTypeNs);
  EXPECT_EQ(texts(contents.body), (Texts{"sub.example.com. 3600 NS ns.sub.example.com.",
                                         "sub.example.com. 3600 NS ns.example.net."}));
  EXPECT_EQ(texts(contents.required), (Texts{"ns.sub.example.com. 3600 A 192.0.2.9"}));
}

TEST_F(BlobTest, AnAliasHasATarget) {
  const BlobContents near = read("alias.example.com.", zone::kTypeCname);
  EXPECT_EQ(texts(near.body), (Texts{"alias.example.com. 3600 CNAME www.example.com."}));
  EXPECT_EQ(zone::name_to_text(near.target), "www.example.com.");
  EXPECT_EQ(zone::name_to_text(read("away.example.com.", zone::kTypeCname).target),
            "www.example.net.");
}

TEST_F(BlobTest, AWildcardAndTypesThatNobodyKnows) {
  EXPECT_EQ(texts(read("*.example.com.", zone::kTypeTxt).body),
            (Texts{"*.example.com. 3600 TXT \"any\" \"thing\""}));
  EXPECT_EQ(texts(read("odd.example.com.", 65400).body),
            (Texts{"odd.example.com. 3600 TYPE65400 \\# 3 010203"}));
  EXPECT_EQ(texts(read("svc.example.com.", 65).body),
            (Texts{"svc.example.com. 3600 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.7"}));
}

// RFC 2181 9: where there are more addresses than a blob has room for, the last set is left out
// whole.
TEST_F(BlobTest, NoSetOfAddressesRidesAlongInPart) {
  const Wire apex = name("example.com.");
  BlobWriter writer(apex);
  zone::Rrset mail{zone::kTypeMx, 300, {}};
  const auto exchange = [](int i) { return name(std::to_string(i) + ".example.com."); };
  for (int i = 0; i < 120; ++i) mail.rdata.push_back(Wire("\0\x0a", 2) + exchange(i));
  writer.add_body(mail);
  const zone::Rrset addresses{zone::kTypeA, 300, {Wire("\xc0\0\2\1", 4), Wire("\xc0\0\2\2", 4)}};
  for (int i = 0; i < 120; ++i) writer.add_additional(exchange(i), addresses, false);
  const auto contents = read_blob(writer.finish().value(), apex, apex);
  ASSERT_TRUE(contents.ok()) << contents.error().message();
  EXPECT_EQ(contents.value().body.size(), 120U);
  EXPECT_GT(contents.value().optional.size(), 100U);
  EXPECT_EQ(contents.value().optional.size() % 2, 0U);
}

TEST_F(BlobTest, TheNegativeAnswersSoa) {
  const auto* soa = zone_.find(zone_.apex())->find(zone::kTypeSoa);
  const auto negative = render_negative(zone_.apex(), *soa).value().blob;
  const auto contents = read_blob(negative, zone_.apex(), zone_.apex());
  ASSERT_TRUE(contents.ok()) << contents.error().message();
  EXPECT_EQ(texts(contents.value().body),
            (Texts{"example.com. 1800 SOA ns1.example.com. hostmaster.example.com. 7 10000 2400 "
                   "604800 1800"}));
}

// blob_fuzz looks for what is followed out of its bounds.
TEST_F(BlobTest, WhatIsDamagedDoesNoHarm) {
  const Bytes good = blob("sub.example.com.", zone::kTypeNs);
  const Wire owner = name("sub.example.com.");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(read_blob(cut, owner, zone_.apex()).ok()) << size;
  }
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x40, 0x80, 0xff}) {
      Bytes damaged = good;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
      if (!read_blob(damaged, owner, zone_.apex()).ok()) ++refused;
    }
  }
  EXPECT_GT(refused, 48) << "every size in the header is checked";
  EXPECT_FALSE(read_blob(good, name("example.net."), zone_.apex()).ok());
}

}  // namespace
}  // namespace brink::dns::render
