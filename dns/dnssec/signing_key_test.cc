// Keys: the examples of RFC 5702, 6605 and 8080, what other programs wrote, and hostile text.
#include "dns/dnssec/signing_key.h"

#include <gtest/gtest.h>

#include <random>

#include "dns/dnssec/delegation_signer.h"
#include "dns/dnssec/signature.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

struct Example {
  std::string name;
  std::string private_key;
  std::string apex, dnskey, ds;  // ds empty: the RFC has none
  DigestType digest = DigestType::kSha256;
  std::string owner, type, rdata, rrsig;
  bool deterministic = false;  // signing again gives the same octets
};

const Example kExamples[] = {
    {"RFC 5702 6.2",
     "Private-key-format: v1.2\n"
     "Algorithm:       10 (RSASHA512)\n"
     "Modulus:         0eg1M5b563zoq4k5ZEOnWmd2/BvpjzedJVdfIsDcMuuhE5SQ3pfQ7qmdaeMlC6Nf8DKGoUPGPXe0"
     "6cP27/WRODtxXquSUytkO0kJDk8KX8PtA0+yBWwy7UnZDyCkynO00Uuk8HPVtZeMO1pHtlAGVnc8VjXZlNKdyit99waa"
     "E4s=\n"
     "PublicExponent:  AQAB\n"
     "PrivateExponent: rFS1IPbJllFFgFc33B5DDlC1egO8e81P4fFadODbp56V7sphKa6AZQCx8NYAew6VXFFPAKTw41Qd"
     "HnK5kIYOwxvfFDjDcUGza88qbjyrDPSJenkeZbISMUSSqy7AMFzEolkk6WSn6k3thUVRgSlqDoOV3SEIAsrB043XzGrK"
     "IVE=\n"
     "Prime1:          "
     "8mbtsu9Tl9v7tKSHdCIeprLIQXQLzxlSZun5T1n/OjvXSUtvD7xnZJ+LHqaBj1dIgMbCq2U8O04QVcK3TS9GiQ==\n"
     "Prime2:          "
     "3a6gkfs74d0Jb7yL4j4adAif4fcp7ZrGt7G5NRVDDY/Mv4TERAKMa0TKN3okKE0A7X+Rv2K84mhT4QLDlllEcw==\n"
     "Exponent1:       "
     "v3D5A9uuCn5rgVR7wgV8ba0/KSpsdSiLgsoA42GxiB1gvvs7gJMMmVTDu/ZG1p1ZnpLbhh/S/Qd/MSwyNlxC+Q==\n"
     "Exponent2:       "
     "m+ezf9dsDvYQK+gzjOLWYeKq5xWYBEYFGa3BLocMiF4oxkzOZ3JPZSWU/h1Fjp5RV7aPP0Vmx+hNjYMPIQ8Y5w==\n"
     "Coefficient:     "
     "Je5YhYpUron/WdOXjxNAxDubAp3i5X7UOUfhJcyIggqwY86IE0Q/Bk0Dw4SC9zxnsimmdBXW2Izd8Lwuk8FQcQ==\n",
     "example.net.",
     "256 3 10 "
     "AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7"
     "cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL",
     "", DigestType::kSha256, "www.example.net.", "A", "192.0.2.91",
     "A 10 3 3600 20300101000000 20000101000000 3740 example.net. "
     "tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm"
     "/zpq+9fOuagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
     true},
    {"RFC 6605 6.1",
     "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
     "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n",
     "example.net.",
     "257 3 13 "
     "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
     "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
     DigestType::kSha256, "www.example.net.", "A", "192.0.2.1",
     "A 13 3 3600 20100909100439 20100812100439 55648 example.net. "
     "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
     false},
    {"RFC 6605 6.2",
     "Private-key-format: v1.2\nAlgorithm: 14 (ECDSAP384SHA384)\n"
     "PrivateKey: WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR\n",
     "example.net.",
     "257 3 14 "
     "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8"
     "/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40",
     "10771 14 4 "
     "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df9"
     "83d6",
     DigestType::kSha384, "www.example.net.", "A", "192.0.2.1",
     "A 14 3 3600 20100909102025 20100812102025 10771 example.net. "
     "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuz"
     "WTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm",
     false},
    {"RFC 8080 6.1",
     "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n"
     "PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n",
     "example.com.", "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
     "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
     DigestType::kSha256, "example.com.", "MX", "10 mail.example.com.",
     "MX 15 2 3600 20150819220000 20150729220000 3613 example.com. "
     "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
     true},
};

Wire name(const std::string& text) {
  return zone::name_from_text(text).value();
}

Wire data(const std::string& type, const std::string& text) {
  return zone::rdata_from_text(*zone::type_from_text(type), text, name(".")).value();
}

constexpr Algorithm kAll[] = {Algorithm::kRsaSha256, Algorithm::kRsaSha512,
                              Algorithm::kEcdsaP256Sha256, Algorithm::kEcdsaP384Sha384,
                              Algorithm::kEd25519};

TEST(SigningKey, ReadsTheExamplesOfTheRfcs) {
  for (const Example& example : kExamples) {
    SCOPED_TRACE(example.name);
    const auto key = SigningKey::from_private_key_format(example.private_key);
    ASSERT_TRUE(key.ok()) << key.error().message();
    const Wire dnskey = data("DNSKEY", example.dnskey);
    const std::uint16_t flags = example.dnskey.starts_with("257") ? kFlagsKsk : kFlagsZsk;
    EXPECT_EQ(key.value().dnskey_rdata(flags), dnskey);
    const auto rrsig = read_rrsig(data("RRSIG", example.rrsig));
    ASSERT_TRUE(rrsig.has_value());
    EXPECT_EQ(key.value().key_tag(flags), rrsig->key_tag);
    if (!example.ds.empty()) {
      EXPECT_EQ(ds_rdata(name(example.apex), dnskey, example.digest), data("DS", example.ds));
      EXPECT_TRUE(
          ds_matches(name("EXAMPLE" + example.apex.substr(7)), dnskey, data("DS", example.ds)));
    }
  }
}

TEST(SigningKey, SignsAndVerifiesTheExamplesOfTheRfcs) {
  for (const Example& example : kExamples) {
    SCOPED_TRACE(example.name);
    const Wire apex = name(example.apex), owner = name(example.owner);
    const zone::Rrset rrset{
        *zone::type_from_text(example.type), 3'600, {data(example.type, example.rdata)}};
    const Wire given = data("RRSIG", example.rrsig), dnskey = data("DNSKEY", example.dnskey);
    const auto verified = verify_signature(apex, dnskey, owner, rrset, given, std::nullopt);
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    const auto key = SigningKey::from_private_key_format(example.private_key);
    ASSERT_TRUE(key.ok());
    const std::uint16_t flags = example.dnskey.starts_with("257") ? kFlagsKsk : kFlagsZsk;
    const Wire made =
        sign_rrset(key.value(), flags, apex, owner, rrset, read_rrsig(given)->validity);
    if (example.deterministic) {
      EXPECT_EQ(made, given);
    } else {
      EXPECT_EQ(made.size(), given.size());
      EXPECT_EQ(made.substr(0, 18), given.substr(0, 18));
    }
    EXPECT_TRUE(verify_signature(apex, dnskey, owner, rrset, made, std::nullopt).ok());
  }
}

TEST(SigningKey, SurvivesItsPem) {
  for (const Algorithm algorithm : kAll) {
    SCOPED_TRACE(to_text(algorithm));
    const auto made = SigningKey::generate(algorithm);
    ASSERT_TRUE(made.ok()) << made.error().message();
    std::string pem = made.value().to_pem();
    const auto read = SigningKey::from_pem(algorithm, pem);
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read.value().dnskey_rdata(kFlagsKsk), made.value().dnskey_rdata(kFlagsKsk));
    const Wire signature = read.value().sign("octets");
    EXPECT_TRUE(verify(made.value().dnskey_rdata(kFlagsZsk), "octets", signature));
    EXPECT_FALSE(verify(made.value().dnskey_rdata(kFlagsZsk), "octet", signature));
    for (const Algorithm other : kAll) {
      const bool is_same_kind = other == algorithm || (static_cast<int>(other) <= 10 &&
                                                       static_cast<int>(algorithm) <= 10);
      EXPECT_EQ(SigningKey::from_pem(other, pem).ok(), is_same_kind) << to_text(other);
    }
    wipe(pem);
    EXPECT_TRUE(pem.empty());
  }
}

TEST(SigningKey, RefusesSizesThatAreNotMade) {
  for (const int bits : {0, -8, 512, 1'024, 2'047, 2'049, 4'104}) {
    const auto key = SigningKey::generate(Algorithm::kRsaSha256, bits);
    ASSERT_FALSE(key.ok()) << bits;
    EXPECT_NE(key.error().message().find(std::to_string(bits)), std::string::npos);
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(SigningKey, RefusesKeysThatAreNotWhole) {
  const std::string rsa = kExamples[0].private_key, ec = kExamples[1].private_key;
  const std::string ed = kExamples[3].private_key;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "Private-key-format"},
      {std::string(20'000, 'x'), "20000"},
      {replaced(rsa, "v1.2", "v2.0"), "Private-key-format"},
      {replaced(rsa, "10 (", "5 ("), "Algorithm"},
      {replaced(rsa, "10 (", "13 ("), "PrivateKey"},
      {replaced(rsa, "Algorithm", "Algorism"), "Algorithm"},
      {replaced(rsa, "10 (RSASHA512)", "266"), "Algorithm"},
      {replaced(rsa, "Prime2:", "Prime3:"), "Prime2"},
      {replaced(rsa, "AQAB", "AQ*B"), "PublicExponent"},
      {replaced(rsa, "AQAB", "AQA"), "PublicExponent"},
      {replaced(rsa, "AQAB", "AQAA"), "exponent"},
      {replaced(rsa, "AQAB", "AQAD"), "belong together"},
      {replaced(rsa, "Coefficient:     Je5Y", "Coefficient:     Jf5Y"), ""},
      {replaced(rsa, "AQAB", std::string(1'000, 'B')), "PublicExponent"},
      {rsa + "Prime2: AQAB\n", "Prime2"},
      {replaced(ec, "GU6S", ""), "PrivateKey"},
      {replaced(ec, "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=", ""), "PrivateKey"},
      {replaced(ec, "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=", std::string(43, 'A') + "="),
       "zero"},
      {replaced(ec, "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=", std::string(43, '/') + "="),
       "too great"},
      {replaced(ec, "13 (", "14 ("), "48 octets"},
      {replaced(ed, "ODIyNjAz", "ODIy"), "32 octets"},
      {replaced(ed, "ODIy", "=DIy"), "base64"},
  };
  for (const auto& [text, named] : cases) {
    const auto key = SigningKey::from_private_key_format(text);
    if (named.empty()) continue;  // OpenSSL mends a wrong coefficient; it must only not crash
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_NE(key.error().message().find(named), std::string::npos)
        << named << " not in: " << key.error().message();
  }
}

TEST(SigningKey, TakesWindowsLinesAndTimingFields) {
  std::string text = kExamples[3].private_key;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  text += "Created: 20240101000000\r\nPublish: 20240101000000\r\n\r\nnonsense\r\n";
  EXPECT_TRUE(SigningKey::from_private_key_format(text).ok());
}

// A changed octet anywhere gives a key or a refusal, and no refusal tells the secret.
TEST(SigningKey, BearsTextThatWasAltered) {
  std::mt19937 random(1);
  const auto pem_key = SigningKey::generate(Algorithm::kEcdsaP256Sha256);
  ASSERT_TRUE(pem_key.ok());
  const std::string pem = pem_key.value().to_pem();
  for (int i = 0; i < 3'000; ++i) {
    const bool as_pem = i % 5 == 0;
    const Example& example = kExamples[static_cast<std::size_t>(i % 4)];
    std::string text = as_pem ? pem : example.private_key;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 8);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 8));
          break;
      }
      if (text.empty()) break;
    }
    const auto key = as_pem ? SigningKey::from_pem(Algorithm::kEcdsaP256Sha256, text)
                            : SigningKey::from_private_key_format(text);
    if (key.ok()) {
      EXPECT_TRUE(verify(key.value().dnskey_rdata(kFlagsZsk), "x", key.value().sign("x")));
    } else {
      EXPECT_EQ(key.error().message().find("GU6SnQ"), std::string::npos);
    }
  }
}

TEST(SigningKey, EncryptedPemIsRefusedWithARemedy) {
  const auto key = SigningKey::from_pem(Algorithm::kEd25519,
                                        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                                        "-----END ENCRYPTED PRIVATE KEY-----\n");
  ASSERT_FALSE(key.ok());
  EXPECT_NE(key.error().message().find("decrypt"), std::string::npos);
}

TEST(Verify, BearsAnyKeyData) {
  std::mt19937 random(2);
  for (int i = 0; i < 2'000; ++i) {
    Wire dnskey("\1\0\3", 3);
    dnskey += static_cast<char>(kAll[random() % 5]);
    for (std::size_t n = random() % 300; n > 0; --n) dnskey += static_cast<char>(random() % 4);
    Wire signature(random() % 300, '\1');
    EXPECT_FALSE(verify(dnskey, "octets", signature));
  }
  EXPECT_FALSE(verify("", "octets", ""));
}

TEST(Algorithms, HaveTheNamesOfTheRegistry) {
  for (const Algorithm algorithm : kAll) {
    EXPECT_EQ(algorithm_from_text(to_text(algorithm)), algorithm);
    EXPECT_EQ(algorithm_from_number(static_cast<std::uint8_t>(algorithm)), algorithm);
    EXPECT_EQ(algorithm_from_text(std::to_string(static_cast<int>(algorithm))), algorithm);
  }
  EXPECT_EQ(algorithm_from_text("ecdsap256sha256"), Algorithm::kEcdsaP256Sha256);
  for (const char* text : {"", "5", "RSASHA1", "13 ", "269", "-13", "ED448"}) {
    EXPECT_FALSE(algorithm_from_text(text).has_value()) << text;
  }
}

TEST(DelegationSigner, DeletesAsRfc8078Says) {
  EXPECT_EQ(cds_delete_rdata(), data("CDS", "0 0 0 00"));
  EXPECT_EQ(cdnskey_delete_rdata(), data("CDNSKEY", "0 3 0 AA=="));
}

TEST(DelegationSigner, KnowsOnlyItsOwnKey) {
  const Wire apex = name("example.net."), dnskey = data("DNSKEY", kExamples[1].dnskey);
  Wire ds = ds_rdata(apex, dnskey, DigestType::kSha384);
  EXPECT_TRUE(ds_matches(apex, dnskey, ds));
  EXPECT_FALSE(ds_matches(name("example.org."), dnskey, ds));
  EXPECT_FALSE(ds_matches(apex, data("DNSKEY", kExamples[2].dnskey), ds));
  ds[3] = 9;  // a digest of a type that is unknown
  EXPECT_FALSE(ds_matches(apex, dnskey, ds));
  EXPECT_FALSE(ds_matches(apex, dnskey, ""));
  EXPECT_FALSE(ds_matches(apex, "", ds));
}

}  // namespace
}  // namespace brink::dns::dnssec
