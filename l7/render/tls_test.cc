// What is rendered for TLS is found by name in an image, and what is damaged is not believed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/image.h"
#include "l7/render/tls_blob.h"
#include "l7/route/certificate_lookup.h"

namespace brink::l7 {
namespace {

using render::Bytes;
using route::EntryId;
using route::KeyKind;
using route::TableGroup;
using route::TableKey;
using route::TlsHostVerdict;

EntryId id_of(std::uint8_t number) {
  EntryId id{};
  id[3] = number;
  return id;
}

// A DER SEQUENCE of `size` octets.
Bytes der(std::size_t size, std::uint8_t fill) {
  const Bytes head = {0x30, 0x82, static_cast<std::uint8_t>(size >> 8),
                      static_cast<std::uint8_t>(size)};
  Bytes out(head.size() + size, fill);
  std::copy(head.begin(), head.end(), out.begin());
  return out;
}

Bytes certificate(std::uint8_t number, KeyKind kind = KeyKind::kEcdsa, std::int64_t until = 1000) {
  render::CertificateSpec spec;
  const Bytes chain = der(300, number);
  const Bytes key(40, static_cast<std::uint8_t>(number + 1)), ocsp(number % 2 == 0 ? 0 : 7, 3);
  spec.id = id_of(number);
  spec.key_kind = kind;
  spec.not_before_s = 10;
  spec.not_after_s = until;
  spec.chain_count = 1;
  spec.chain = chain;
  spec.sealed_key = key;
  spec.ocsp = ocsp;
  spec.ocsp_until_s = 500;
  spec.key_context = "private key of certificate " + std::to_string(number);
  return render::render_certificate(spec);
}

Bytes wire(std::string_view name) {
  Bytes out;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::uint8_t>(dot));
    out.insert(out.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(0);
  return out;
}

// A blob of one record of this type without data that matters.
Bytes blob(std::uint16_t type) {
  const Bytes head = {0xc0, 0x0c, 0, static_cast<std::uint8_t>(type), 0, 1, 0, 0, 0, 60, 0, 22};
  snapshot::BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(head.size() + 22);
  header.body_count = 1;
  Bytes out(sizeof header + header.body_size);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, head.data(), head.size());
  return out;
}

class TlsLookup : public ::testing::Test {
 protected:
  TlsLookup() : builder_(base::HashKey()) {}

  void zone(std::string_view apex) {
    const Bytes soa = blob(6);
    ASSERT_TRUE(builder_.put_zone(wire(apex), {1, soa}).ok());
    const std::vector<snapshot::Rrset> sets = {{6, soa}};
    ASSERT_TRUE(builder_.put_name(wire(apex), {sets, {}}).ok());
  }
  void name(std::string_view text) {
    const std::vector<snapshot::Rrset> sets = {{16, blob(16)}};
    ASSERT_TRUE(builder_.put_name(wire(text), {sets, {}}).ok());
  }
  void put(const TableKey& key, const Bytes& value) {
    EXPECT_TRUE(route::is_good_value(key.octets(), value));
    ASSERT_TRUE(builder_.put_value(key.octets(), value).ok());
  }
  void put_certificate(std::uint8_t number, KeyKind kind = KeyKind::kEcdsa,
                       std::int64_t until = 1000) {
    put(key_of(TableGroup::kCertificate, id_of(number)), certificate(number, kind, until));
  }
  void put_host(std::string_view host, const render::HostSpec& spec) {
    put(key_of(TableGroup::kHost, host), render::render_host(spec));
  }
  static render::HostSpec with(std::initializer_list<std::uint8_t> numbers) {
    render::HostSpec spec;
    for (const std::uint8_t number : numbers) {
      spec.certificates.push_back({id_of(number), 1000, KeyKind::kEcdsa});
    }
    return spec;
  }
  TlsHostVerdict find(std::string_view text, std::int64_t now_s = 100) {
    if (!image_) image_.emplace(std::move(builder_.finish(1, 1)).value());
    if (!view_) view_.emplace(image_->view());
    return route::find_tls_host(*view_, text, now_s, found_);
  }
  // The number of the first certificate that the name gets; 0: none.
  int first_of(std::string_view text) {
    return find(text) == TlsHostVerdict::kFound ? found_.certificates[0].id[3] : 0;
  }

  snapshot::Builder builder_;
  std::optional<snapshot::Image> image_;
  std::optional<snapshot::View> view_;
  route::TlsHost found_;
};

TEST_F(TlsLookup, TheHostThenTheWildcardOfOneLabelThenTheZonesDefault) {
  zone("example.com");
  name("deep.down.example.com");
  for (std::uint8_t number = 1; number <= 4; ++number) put_certificate(number);
  put_host("www.example.com", with({1}));
  put_host("*.example.com", with({2}));
  put_host("", with({3}));
  put_host("example.com", with({4}));
  EXPECT_EQ(first_of("www.example.com"), 1);
  EXPECT_EQ(first_of("WWW.Example.COM."), 1);
  EXPECT_EQ(first_of("other.example.com"), 2);
  EXPECT_EQ(first_of("a.other.example.com"), 3) << "a wildcard covers one label";
  EXPECT_EQ(first_of("deep.down.example.com"), 3);
  EXPECT_EQ(first_of("example.com"), 4);
  EXPECT_EQ(find("example.org"), TlsHostVerdict::kUnknownName);
  EXPECT_EQ(find("com"), TlsHostVerdict::kUnknownName);
  EXPECT_EQ(find(""), TlsHostVerdict::kUnknownName);
  EXPECT_EQ(find("not a name"), TlsHostVerdict::kUnknownName);
  EXPECT_EQ(find(std::string(300, 'a')), TlsHostVerdict::kUnknownName);
}

TEST_F(TlsLookup, AHostIsFoundWithoutItsCertificates) {
  zone("example.com");
  put_host("www.example.com", with({1}));
  render::HostSpec asking;
  asking.asks_client = true;
  asking.authorities = {id_of(9)};
  put_host("*.example.com", asking);
  EXPECT_EQ(find("www.example.com"), TlsHostVerdict::kBadBlob) << "there is no certificate";
  ASSERT_TRUE(route::find_host(*view_, "WWW.example.com").has_value());
  EXPECT_FALSE(route::find_host(*view_, "www.example.com")->asks_client);
  ASSERT_TRUE(route::find_host(*view_, "api.example.com").has_value());
  EXPECT_TRUE(route::find_host(*view_, "api.example.com")->asks_client);
  EXPECT_EQ(route::find_host(*view_, "api.example.com")->authorities[0], id_of(9));
  for (const char* name : {"example.com", "a.b.example.com", "example.org", ""}) {
    EXPECT_FALSE(route::find_host(*view_, name).has_value()) << name;
  }
}

TEST_F(TlsLookup, TheDeepestZoneDecides) {
  zone("example.com");
  put_certificate(1);
  put_host("*.example.com", with({1}));
  put_host("", with({1}));
  zone("sub.example.com");
  EXPECT_EQ(find("www.sub.example.com"), TlsHostVerdict::kNoCertificate);
  EXPECT_EQ(find("sub.example.com"), TlsHostVerdict::kNoCertificate);
  EXPECT_EQ(first_of("x.example.com"), 1);
}

TEST_F(TlsLookup, OneOfEachKindThatIsInTimeIsChosen) {
  zone("example.com");
  put_certificate(1, KeyKind::kRsa, 50);
  put_certificate(2, KeyKind::kRsa);
  put_certificate(3, KeyKind::kEd25519, 60);
  put_certificate(4, KeyKind::kEcdsa);
  render::HostSpec spec;
  spec.certificates = {{id_of(1), 50, KeyKind::kRsa},
                       {id_of(2), 1000, KeyKind::kRsa},
                       {id_of(3), 60, KeyKind::kEd25519},
                       {id_of(4), 1000, KeyKind::kEcdsa}};
  put_host("", spec);
  ASSERT_EQ(find("example.com", 100), TlsHostVerdict::kFound);
  ASSERT_EQ(found_.certificate_count, 2U);
  EXPECT_EQ(found_.certificates[0].id, id_of(4));
  EXPECT_EQ(found_.certificates[1].id, id_of(2));
  const std::uint64_t version = found_.version;
  ASSERT_EQ(find("example.com", 5000), TlsHostVerdict::kFound);
  EXPECT_EQ(found_.certificates[0].id, id_of(3)) << "all are expired: the first of each kind";
  EXPECT_EQ(found_.certificates[1].id, id_of(1));
  EXPECT_NE(found_.version, version);
}

TEST_F(TlsLookup, ACertificateHasWhatWasRendered) {
  zone("example.com");
  put_certificate(7, KeyKind::kRsa);
  put_host("", with({}));
  EXPECT_EQ(find("example.com"), TlsHostVerdict::kNoCertificate);
  const auto table = route::find_zone_table(*view_, "x.example.com");
  ASSERT_TRUE(table.has_value());
  const auto found = table->certificate(id_of(7));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->key_kind, KeyKind::kRsa);
  EXPECT_EQ(found->not_before, 10);
  EXPECT_EQ(found->not_after, 1000);
  EXPECT_EQ(Bytes(found->chain.begin(), found->chain.end()), der(300, 7));
  EXPECT_EQ(Bytes(found->sealed_key.begin(), found->sealed_key.end()), Bytes(40, 8));
  EXPECT_EQ(Bytes(found->ocsp.begin(), found->ocsp.end()), Bytes(7, 3));
  EXPECT_EQ(found->ocsp_until, 500);
  EXPECT_EQ(found->key_context, "private key of certificate 7");
  EXPECT_FALSE(table->certificate(id_of(8)).has_value());
}

TEST_F(TlsLookup, EqualNamesOfContentsAreOfEqualContents) {
  zone("a.test");
  put_certificate(1);
  put_host("*.a.test", with({1}));
  put_host("x.a.test", with({1}));
  zone("b.test");
  put_certificate(1);
  put_host("*.b.test", with({1}));
  ASSERT_EQ(find("p.a.test"), TlsHostVerdict::kFound);
  const route::TlsHost first = found_;
  ASSERT_EQ(find("q.a.test"), TlsHostVerdict::kFound);
  EXPECT_EQ(found_.id, first.id);
  EXPECT_EQ(found_.version, first.version);
  ASSERT_EQ(find("x.a.test"), TlsHostVerdict::kFound);
  EXPECT_NE(found_.id, first.id);
  ASSERT_EQ(find("p.b.test"), TlsHostVerdict::kFound);
  EXPECT_NE(found_.id, first.id);
}

TEST_F(TlsLookup, AnOcspResponseIsShownUntilItsTimeIsOver) {
  zone("a.test");
  put_certificate(1);
  put_host("*.a.test", with({1}));
  ASSERT_EQ(find("x.a.test", 499), TlsHostVerdict::kFound);
  EXPECT_EQ(found_.certificates[0].ocsp.size(), 7U);
  const std::uint64_t version = found_.version;
  ASSERT_EQ(find("x.a.test", 500), TlsHostVerdict::kFound);
  EXPECT_TRUE(found_.certificates[0].ocsp.empty());
  EXPECT_NE(found_.version, version) << "what was made with it is not used again";
}

TEST_F(TlsLookup, NamesAreInTheZoneOfTheirLongestSuffix) {
  zone("a.test");
  zone("b.a.test");
  ASSERT_EQ(find("x.a.test"), TlsHostVerdict::kNoCertificate);
  EXPECT_TRUE(route::are_in_one_zone(*view_, "x.a.test", "a.test"));
  EXPECT_TRUE(route::are_in_one_zone(*view_, "x.b.a.test", "b.a.test"));
  EXPECT_FALSE(route::are_in_one_zone(*view_, "x.b.a.test", "x.a.test"));
  EXPECT_FALSE(route::are_in_one_zone(*view_, "x.a.test", "x.c.test"));
  EXPECT_FALSE(route::are_in_one_zone(*view_, "", ""));
}

TEST_F(TlsLookup, AuthoritiesAndRevocation) {
  zone("example.com");
  put_certificate(1);
  render::HostSpec spec = with({1});
  spec.asks_client = true;
  spec.authorities = {id_of(20), id_of(21)};
  put_host("www.example.com", spec);
  put(key_of(TableGroup::kAuthority, id_of(20)), render::render_anchors(der(500, 1), 1));
  put(route::revoked_key(id_of(20), Bytes{9, 0}), render::render_revoked());
  ASSERT_EQ(find("www.example.com"), TlsHostVerdict::kFound);
  EXPECT_TRUE(found_.host.asks_client);
  ASSERT_EQ(found_.host.authorities.size(), 2U);
  EXPECT_EQ(found_.host.authorities[1], id_of(21));
  const auto& table = *found_.table;
  ASSERT_TRUE(table.authority(id_of(20)).has_value());
  EXPECT_EQ(table.authority(id_of(20))->der.size(), 504U);
  EXPECT_FALSE(table.authority(id_of(21)).has_value());
  EXPECT_TRUE(table.is_revoked(id_of(20), Bytes{0, 9, 0})) << "leading zeros do not matter";
  EXPECT_FALSE(table.is_revoked(id_of(20), Bytes{9}));
  EXPECT_FALSE(table.is_revoked(id_of(21), Bytes{9, 0}));
  EXPECT_FALSE(table.is_revoked(id_of(20), Bytes(300, 1)));
}

TEST_F(TlsLookup, OriginPullsOfTheHostThenOfTheZone) {
  zone("example.com");
  put(key_of(TableGroup::kOriginPull, "own.example.com"),
      render::render_origin_pull(true, id_of(5)));
  put(key_of(TableGroup::kOriginPull, "off.example.com"),
      render::render_origin_pull(false, id_of(5)));
  put(TableKey(TableGroup::kOriginPull), render::render_origin_pull(true, id_of(6)));
  zone("global.test");
  route::SettingsLayout settings;
  settings.flags |= route::kOperatorPull;
  put(TableKey(TableGroup::kSettings), render::render_settings(settings));
  zone("none.test");
  find("none.test");
  const auto pull = [&](std::string_view host) {
    return route::find_zone_table(*view_, host)->origin_pull(host);
  };
  EXPECT_EQ(pull("own.example.com").certificate, id_of(5));
  EXPECT_EQ(pull("off.example.com").from, route::OriginPull::From::kNone);
  EXPECT_EQ(pull("www.example.com").from, route::OriginPull::From::kTable);
  EXPECT_EQ(pull("www.example.com").certificate, id_of(6));
  EXPECT_EQ(pull("www.global.test").from, route::OriginPull::From::kOperator);
  EXPECT_EQ(pull("none.test").from, route::OriginPull::From::kNone);
}

TEST_F(TlsLookup, SettingsAreDefaultsWhereNothingIsSaid) {
  zone("default.test");
  zone("example.com");
  route::SettingsLayout settings;
  settings.ssl = route::SslMode::kStrict;
  settings.min_tls = route::TlsVersion::kTls12;
  settings.flags |= route::kHsts;
  put(TableKey(TableGroup::kSettings), render::render_settings(settings));
  find("example.com");
  EXPECT_EQ(route::find_zone_table(*view_, "example.com")->settings(), settings);
  EXPECT_EQ(route::find_zone_table(*view_, "default.test")->settings(), route::SettingsLayout());
  EXPECT_FALSE(route::find_zone_table(*view_, "else.test").has_value());
}

TEST_F(TlsLookup, ABlobThatIsNoneIsNotBelieved) {
  zone("example.com");
  put_host("", with({1}));
  const TableKey key = key_of(TableGroup::kCertificate, id_of(1));
  Bytes bad = certificate(1);
  bad[0] ^= 1;
  EXPECT_FALSE(route::is_good_value(key.octets(), bad));
  ASSERT_TRUE(builder_.put_value(key.octets(), bad).ok());
  EXPECT_EQ(find("example.com"), TlsHostVerdict::kBadBlob);
}

// No octet of a head can be changed to one that leads out of the blob.
TEST(TlsBlob, NoChangeOfAHeadIsFollowedOutOfBounds) {
  render::HostSpec host;
  host.certificates = {{id_of(1), 5, KeyKind::kRsa}};
  host.authorities = {id_of(2)};
  const std::pair<TableKey, Bytes> values[] = {
      {key_of(TableGroup::kCertificate, id_of(1)), certificate(1)},
      {key_of(TableGroup::kHost, "a.b"), render::render_host(host)},
      {key_of(TableGroup::kAuthority, id_of(1)), render::render_anchors(der(20, 1), 1)},
  };
  for (const auto& [key, good] : values) {
    ASSERT_TRUE(route::is_good_value(key.octets(), good));
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      // Exactly as long as it is, so that a sanitizer sees an octet too far.
      const auto part = std::make_unique<std::uint8_t[]>(cut + 1);
      std::copy_n(good.begin(), cut, part.get());
      EXPECT_FALSE(route::is_good_value(key.octets(), {part.get(), cut}));
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(good.size(), 64); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        const auto changed = std::make_unique<std::uint8_t[]>(good.size());
        std::copy(good.begin(), good.end(), changed.get());
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1 << bit));
        static_cast<void>(route::is_good_value(key.octets(), {changed.get(), good.size()}));
      }
    }
  }
  const Bytes one = der(20, 1), other = der(30, 2);
  Bytes two(one.size() + other.size());
  std::copy(one.begin(), one.end(), two.begin());
  std::copy(other.begin(), other.end(), two.begin() + static_cast<std::ptrdiff_t>(one.size()));
  EXPECT_EQ(route::open_anchors(render::render_anchors(two, 2))->count, 2U);
}

}  // namespace
}  // namespace brink::l7
