// Signatures of RRsets, with ldns as the second opinion.
#include "dns/dnssec/signature.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <functional>
#include <memory>
#include <random>

#include "dataplane/base/released_by.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

constexpr Algorithm kAll[] = {Algorithm::kRsaSha256, Algorithm::kRsaSha512,
                              Algorithm::kEcdsaP256Sha256, Algorithm::kEcdsaP384Sha384,
                              Algorithm::kEd25519};
constexpr Validity kValidity{1'700'000'000, 1'701'000'000};

Wire name(const std::string& text) {
  return zone::name_from_text(text).value();
}

const Wire kApex = name("example.com.");

zone::Rrset rrset_of(const std::string& type, const std::vector<std::string>& content,
                     std::uint32_t ttl = 300) {
  zone::Rrset rrset{*zone::type_from_text(type), ttl, {}};
  for (const std::string& text : content) {
    auto rdata = zone::rdata_from_text(rrset.type, text, name("."));
    EXPECT_TRUE(rdata.ok()) << rdata.error().message();
    rrset.rdata.push_back(rdata.value());
  }
  return rrset;
}

const SigningKey& key_of(Algorithm algorithm) {
  static const auto kKeys = [] {
    std::vector<SigningKey> keys;
    for (const Algorithm each : kAll) keys.push_back(SigningKey::generate(each).value());
    return keys;
  }();
  for (const SigningKey& key : kKeys) {
    if (key.algorithm() == algorithm) return key;
  }
  return kKeys[0];
}

using Rr = std::unique_ptr<ldns_rr, base::ReleasedBy<ldns_rr_free>>;
using List = std::unique_ptr<ldns_rr_list, base::ReleasedBy<ldns_rr_list_deep_free>>;

ldns_rr* record(const Wire& owner, std::uint16_t type, std::uint32_t ttl, const Wire& rdata) {
  Wire wire = owner;
  for (const unsigned value :
       {unsigned{type}, 1U, ttl >> 16, ttl & 0xffff, static_cast<unsigned>(rdata.size())}) {
    wire += static_cast<char>(value >> 8);
    wire += static_cast<char>(value);
  }
  wire += rdata;
  ldns_rr* rr = nullptr;
  std::size_t at = 0;
  EXPECT_EQ(ldns_wire2rr(&rr, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &at,
                         LDNS_SECTION_ANSWER),
            LDNS_STATUS_OK);
  return rr;
}

// ldns's verdict, without a look at the clock.
ldns_status ldns_verdict(const Wire& dnskey, const Wire& owner, const zone::Rrset& rrset,
                         const Wire& rrsig) {
  const List records(ldns_rr_list_new()), keys(ldns_rr_list_new());
  for (const Wire& rdata : rrset.rdata) {
    ldns_rr_list_push_rr(records.get(), record(owner, rrset.type, rrset.ttl, rdata));
  }
  ldns_rr_list_push_rr(keys.get(), record(kApex, kTypeDnskey, 300, dnskey));
  const Rr signature(record(owner, kTypeRrsig, rrset.ttl, rrsig));
  return ldns_verify_rrsig_keylist_notime(records.get(), signature.get(), keys.get(), nullptr);
}

struct RandomRecords {
  std::mt19937_64 random{20'240'101};

  std::size_t below(std::size_t bound) { return random() % bound; }
  std::string label() {
    static constexpr std::string_view kLetters = "abcXYZ019-_";
    std::string text;
    for (std::size_t n = 1 + below(12); n > 0; --n) text += kLetters[below(kLetters.size())];
    return text;
  }
  std::string some_name() {
    std::string text;
    for (std::size_t n = 1 + below(4); n > 0; --n) text += label() + ".";
    return text;
  }
  std::string number(std::size_t bound) { return std::to_string(below(bound)); }
  zone::Rrset rrset() {
    const std::vector<std::pair<std::string, std::function<std::string()>>> kinds = {
        {"A", [&] { return "192.0.2." + number(256); }},
        {"AAAA", [&] { return "2001:db8::" + number(9'999); }},
        {"NS", [&] { return some_name(); }},
        {"PTR", [&] { return some_name(); }},
        {"MX", [&] { return number(65'536) + " " + some_name(); }},
        {"TXT", [&] { return "\"" + label() + "\" \"" + label() + "\""; }},
        {"SRV",
         [&] { return number(9) + " " + number(9) + " " + number(65'536) + " " + some_name(); }},
        {"RP", [&] { return some_name() + " " + some_name(); }},
        {"NAPTR",
         [&] { return number(9) + " 1 \"s\" \"" + label() + "\" \"!^.*$!X!\" " + some_name(); }},
        {"CAA", [&] { return "0 issue \"" + label() + "\""; }},
        {"AFSDB", [&] { return number(9) + " " + some_name(); }},
        {"KX", [&] { return number(9) + " " + some_name(); }},
        {"TYPE65400", [&] { return "\\# 3 41" + std::to_string(1'000 + below(9'000)); }},
    };
    const auto& [type, content] = kinds[below(kinds.size())];
    zone::Rrset made{*zone::type_from_text(type), static_cast<std::uint32_t>(below(100'000)), {}};
    zone::Node node;
    for (std::size_t n = 1 + below(6); n > 0; --n) {
      auto rdata = zone::rdata_from_text(made.type, content(), name("."));
      EXPECT_TRUE(rdata.ok()) << type;
      node.add(made.type, made.ttl, rdata.value());
    }
    made.rdata = node.rrsets[0].rdata;
    return made;
  }
};

TEST(Signature, OfAnyRrsetByAnyAlgorithmIsVerifiedByLdns) {
  RandomRecords records;
  for (const Algorithm algorithm : kAll) {
    const SigningKey& key = key_of(algorithm);
    const Wire dnskey = key.dnskey_rdata(kFlagsZsk);
    const int rounds = static_cast<int>(algorithm) <= 10 ? 60 : 300;
    for (int i = 0; i < rounds; ++i) {
      const zone::Rrset rrset = records.rrset();
      const std::string prefix[] = {"", "*.", records.some_name()};
      const Wire owner = zone::lower_name(name(prefix[records.below(3)] + "example.com."));
      const Wire rrsig = sign_rrset(key, kFlagsZsk, kApex, owner, rrset, kValidity);
      ASSERT_EQ(ldns_verdict(dnskey, owner, rrset, rrsig), LDNS_STATUS_OK)
          << zone::name_to_text(owner) << " " << zone::type_to_text(rrset.type) << " "
          << to_text(algorithm);
      const auto ours = verify_signature(kApex, dnskey, owner, rrset, rrsig, 1'700'500'000);
      ASSERT_TRUE(ours.ok()) << ours.error().message();
      // And none of another RRset.
      zone::Rrset other = rrset;
      other.rdata[0].back() = static_cast<char>(other.rdata[0].back() ^ 1);
      const zone::Rrset& changed = other.rdata[0].back() == 1 ? rrset : other;  // still names
      if (&changed == &other) {
        EXPECT_FALSE(verify_signature(kApex, dnskey, owner, changed, rrsig, std::nullopt).ok());
      }
    }
  }
}

TEST(Signature, OfAWildcardProvesWhatItIsExpandedTo) {
  const SigningKey& key = key_of(Algorithm::kEcdsaP256Sha256);
  const Wire dnskey = key.dnskey_rdata(kFlagsZsk);
  const auto rrset = rrset_of("A", {"192.0.2.1"});
  const Wire rrsig = sign_rrset(key, kFlagsZsk, kApex, name("*.w.example.com."), rrset, kValidity);
  EXPECT_EQ(read_rrsig(rrsig)->labels, 3);
  for (const char* owner : {"a.w.example.com.", "A.b.W.example.com.", "*.w.example.com."}) {
    EXPECT_TRUE(verify_signature(kApex, dnskey, name(owner), rrset, rrsig, std::nullopt).ok())
        << owner;
    EXPECT_EQ(ldns_verdict(dnskey, name(owner), rrset, rrsig), LDNS_STATUS_OK) << owner;
  }
  EXPECT_FALSE(
      verify_signature(kApex, dnskey, name("a.v.example.com."), rrset, rrsig, std::nullopt).ok());
}

TEST(Signature, CountsLabelsAsRfc4034Says) {
  const SigningKey& key = key_of(Algorithm::kEd25519);
  const auto labels = [&](const std::string& owner, const std::string& apex) {
    return read_rrsig(sign_rrset(key, kFlagsZsk, name(apex), name(owner),
                                 rrset_of("A", {"192.0.2.1"}), kValidity))
        ->labels;
  };
  EXPECT_EQ(labels(".", "."), 0);
  EXPECT_EQ(labels("*.", "."), 0);
  EXPECT_EQ(labels("com.", "com."), 1);
  EXPECT_EQ(labels("*.example.com.", "example.com."), 2);
  EXPECT_EQ(labels("a.*.example.com.", "example.com."), 4);
}

TEST(Signature, CarriesWhatItWasToldTo) {
  const SigningKey& key = key_of(Algorithm::kEcdsaP384Sha384);
  const auto fields = read_rrsig(
      sign_rrset(key, kFlagsKsk, kApex, kApex, rrset_of("MX", {"1 a.", "2 b."}, 77), kValidity));
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->type_covered, zone::kTypeMx);
  EXPECT_EQ(fields->algorithm, 14);
  EXPECT_EQ(fields->original_ttl, 77U);
  EXPECT_EQ(fields->validity, kValidity);
  EXPECT_EQ(fields->key_tag, key.key_tag(kFlagsKsk));
  EXPECT_EQ(fields->signer, kApex);
  EXPECT_EQ(fields->signature.size(), 96U);
}

TEST(Signature, DoesNotDependOnOrderCaseOrRemainingTtl) {
  const SigningKey& key = key_of(Algorithm::kEd25519);
  const auto sign = [&](const zone::Rrset& rrset) {
    return sign_rrset(key, kFlagsZsk, kApex, kApex, rrset, kValidity);
  };
  const Wire first = sign(rrset_of("MX", {"10 a.example.", "5 B.Example."}));
  EXPECT_EQ(sign(rrset_of("MX", {"5 b.eXample.", "10 A.example."})), first);
  auto aged = rrset_of("MX", {"10 a.example.", "5 b.example."}, 12);
  EXPECT_TRUE(
      verify_signature(kApex, key.dnskey_rdata(kFlagsZsk), kApex, aged, first, std::nullopt).ok());
  // RFC 6840 5.1: not in types that are not listed.
  EXPECT_NE(sign(rrset_of("SVCB", {"1 A.example."})), sign(rrset_of("SVCB", {"1 a.example."})));
}

TEST(Signature, FaultsAreNamed) {
  const SigningKey& key = key_of(Algorithm::kEd25519);
  const Wire dnskey = key.dnskey_rdata(kFlagsZsk), owner = name("www.example.com.");
  const auto rrset = rrset_of("A", {"192.0.2.1"});
  const Wire rrsig = sign_rrset(key, kFlagsZsk, kApex, owner, rrset, kValidity);
  const auto fault = [&](const Wire& apex, const Wire& by, const Wire& at, const zone::Rrset& of,
                         const Wire& signature, std::uint32_t now) {
    const auto result = verify_signature(apex, by, at, of, signature, now);
    return result.ok() ? std::string() : result.error().message();
  };
  const std::uint32_t in_time = kValidity.inception;
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(fault(kApex, dnskey, owner, rrset, rrsig, in_time), "");
  EXPECT_EQ(fault(kApex, dnskey, owner, rrset, rrsig, kValidity.expiration), "");
  EXPECT_TRUE(has(fault(kApex, dnskey, owner, rrset, rrsig, in_time - 1), "not valid yet"));
  EXPECT_TRUE(has(fault(kApex, dnskey, owner, rrset, rrsig, kValidity.expiration + 1), "expired"));
  EXPECT_TRUE(has(fault(name("com."), dnskey, owner, rrset, rrsig, in_time), "signer"));
  EXPECT_TRUE(has(fault(kApex, dnskey, name("www.example.org."), rrset, rrsig, in_time),
                  "outside the zone"));
  EXPECT_TRUE(has(fault(kApex, dnskey, kApex, rrset, rrsig, in_time), "more labels"));
  EXPECT_TRUE(has(fault(kApex, dnskey, owner, rrset_of("TXT", {"a"}), rrsig, in_time), "type"));
  EXPECT_TRUE(has(fault(kApex, key.dnskey_rdata(kFlagsKsk), owner, rrset, rrsig, in_time), "tag"));
  EXPECT_TRUE(has(fault(kApex, key_of(Algorithm::kRsaSha256).dnskey_rdata(kFlagsZsk), owner, rrset,
                        rrsig, in_time),
                  "algorithm"));
  EXPECT_TRUE(has(fault(kApex, dnskey, owner, rrset, rrsig.substr(0, 20), in_time), "malformed"));
  EXPECT_TRUE(has(fault(kApex, dnskey, owner, rrset_of("A", {"192.0.2.2"}), rrsig, in_time),
                  "did not make it"));
}

// RFC 4034 3.1.5: serial numbers, so that 2106 is no end.
TEST(Signature, IsValidAcrossTheWrapOfTime) {
  const SigningKey& key = key_of(Algorithm::kEd25519);
  const auto rrset = rrset_of("A", {"192.0.2.1"});
  const Wire rrsig = sign_rrset(key, kFlagsZsk, kApex, kApex, rrset, {0xffffff00U, 0x00000100U});
  for (const std::uint32_t now : {0xffffff00U, 0xffffffffU, 0U, 0x100U}) {
    EXPECT_TRUE(
        verify_signature(kApex, key.dnskey_rdata(kFlagsZsk), kApex, rrset, rrsig, now).ok());
  }
  EXPECT_FALSE(
      verify_signature(kApex, key.dnskey_rdata(kFlagsZsk), kApex, rrset, rrsig, 0x101).ok());
}

TEST(Signature, BearsAnyRrsigData) {
  std::mt19937 random(3);
  const SigningKey& key = key_of(Algorithm::kEcdsaP256Sha256);
  const Wire dnskey = key.dnskey_rdata(kFlagsZsk), owner = name("a.example.com.");
  const auto rrset = rrset_of("NS", {"b.example.com."});
  const Wire good = sign_rrset(key, kFlagsZsk, kApex, owner, rrset, kValidity);
  for (int i = 0; i < 5'000; ++i) {
    Wire bad = good;
    const std::size_t at = random() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 + random() % 255));
    if (random() % 4 == 0) bad.resize(random() % bad.size());
    if (zone::lower_name(bad) == zone::lower_name(good)) continue;  // the signer's case is free
    EXPECT_FALSE(verify_signature(kApex, dnskey, owner, rrset, bad, std::nullopt).ok());
    canonical_rdata(static_cast<std::uint16_t>(random() % 60), bad);
  }
}

TEST(SignedTypes, AreWhatTheZoneAnswersFor) {
  zone::Node node;
  EXPECT_TRUE(is_signed_type(node, zone::kTypeA));
  EXPECT_FALSE(is_signed_type(node, kTypeRrsig));
  node.cut = true;
  EXPECT_FALSE(is_signed_type(node, zone::kTypeNs));
  EXPECT_FALSE(is_signed_type(node, zone::kTypeA));
  EXPECT_TRUE(is_signed_type(node, zone::kTypeDs));
  EXPECT_TRUE(is_signed_type(node, kTypeNsec));
  node.cut = false;
  node.occluded = true;
  EXPECT_FALSE(is_signed_type(node, zone::kTypeA));
}

}  // namespace
}  // namespace brink::dns::dnssec
