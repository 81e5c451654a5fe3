#include <gtest/gtest.h>

#include <random>

#include "ctl/certificate/authority.h"
#include "ctl/certificate/certificate_fixture.h"
#include "ctl/certificate/key_kind.h"
#include "ctl/certificate/chain.h"
#include "ctl/certificate/private_key.h"
#include "dataplane/secret/pem.h"

namespace brink::ctl::certificate {
namespace {

constexpr model::Timestamp kNow{1'767'225'600'000'000};

std::string refusal(const model::Outcome<model::Certificate>& outcome) {
  return outcome ? "accepted" : outcome.error().message;
}
std::string read(const std::string& pem, Want want = Want::kLeaf, Order order = Order::kSort) {
  return refusal(read_chain(pem, want, order, kNow));
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
std::string key_refusal(const std::string& key, const std::string& chain) {
  const auto outcome = read_key(key, chain);
  return outcome ? "accepted" : outcome.error().message;
}

TEST(Chain, TellsWhatTheLeafSays) {
  const TestCertificate root = make_root();
  const TestCertificate leaf =
      make({.common_name = "www.example.com",
            .hosts = {"WWW.example.com", "*.example.com", "www.example.com"},
            .issuer = &root,
            .to_s = 1'800'000'000});
  const auto read = read_chain(leaf.pem + root.pem, Want::kLeaf, Order::kSort, kNow);
  ASSERT_TRUE(read) << read.error().message;
  const model::Certificate& facts = read.value();
  EXPECT_EQ(facts.subject.common_name, "www.example.com");
  EXPECT_EQ(facts.issuer, "CN=Test Root,O=Example");
  EXPECT_EQ(facts.issuer_name, "Example");
  EXPECT_EQ(facts.signature, "ECDSAWithSHA256");
  EXPECT_EQ(facts.hosts, (std::vector<std::string>{"www.example.com", "*.example.com"}));
  EXPECT_EQ(facts.expires_on.micros, 1'800'000'000'000'000);
  EXPECT_EQ(facts.fingerprint.size(), 64U);
  EXPECT_FALSE(facts.is_authority);
  EXPECT_EQ(facts.pem, leaf.pem + root.pem);
}

TEST(Chain, IsPutInOrder) {
  const TestCertificate root = make_root();
  const TestCertificate middle =
      make({.common_name = "Middle", .issuer = &root, .is_authority = true});
  const TestCertificate leaf = make({.hosts = {"a.test"}, .issuer = &middle});
  const std::string mixed = root.pem + "some text\n" + leaf.pem + middle.pem;
  const std::string sorted = leaf.pem + middle.pem + root.pem;
  EXPECT_EQ(read_chain(mixed, Want::kLeaf, Order::kSort, kNow).value().pem, sorted);
  EXPECT_EQ(read_chain(mixed, Want::kLeaf, Order::kSortWithoutRoot, kNow).value().pem,
            leaf.pem + middle.pem);
  EXPECT_EQ(read_chain(sorted, Want::kLeaf, Order::kAsGiven, kNow).value().pem, sorted);
  EXPECT_TRUE(has(read(mixed, Want::kLeaf, Order::kAsGiven), "is not signed by the next"));
  EXPECT_EQ(read(leaf.pem + middle.pem), "accepted") << "a root need not be there";
}

TEST(Chain, HoldsNothingForeign) {
  const TestCertificate root = make_root(), other = make_root("Other");
  // Says that the root has signed it, which is not so.
  TestCertificate impostor = make_root();
  const TestCertificate forged = make({.issuer = &impostor});
  const TestCertificate leaf = make({.issuer = &root});
  EXPECT_TRUE(has(read(leaf.pem + root.pem + other.pem), "CN=Other,O=Example\" is not part"));
  EXPECT_TRUE(has(read(forged.pem + root.pem), "is not part of the chain"));
  EXPECT_TRUE(has(read(forged.pem + root.pem, Want::kLeaf, Order::kAsGiven), "is not signed"));
  EXPECT_TRUE(has(read(leaf.pem + leaf.pem), "is not part of the chain"));
  EXPECT_TRUE(has(read(leaf.pem + leaf.key.pem), "PRIVATE KEY"));
  EXPECT_FALSE(has(read(leaf.pem + leaf.key.pem), leaf.key.pem.substr(40, 20)));
}

TEST(Chain, SignerMustBeAnAuthority) {
  const TestCertificate nobody = make({.common_name = "nobody"});
  const TestCertificate leaf = make({.issuer = &nobody});
  EXPECT_TRUE(has(read(leaf.pem + nobody.pem), "is not an authority"));
}

TEST(Chain, IsALeafOrAnAuthorityAsWanted) {
  const TestCertificate root = make_root();
  EXPECT_TRUE(has(read(root.pem), "missing leaf certificate"));
  EXPECT_TRUE(has(read(make({}).pem, Want::kAuthority), "no certificate of an authority"));
  EXPECT_EQ(read(root.pem, Want::kAuthority), "accepted");
}

TEST(Chain, MustBeValidNow) {
  EXPECT_TRUE(has(read(make({.to_s = 1'767'225'600}).pem), "expired on 2026-01-01T00:00:00"));
  EXPECT_EQ(read(make({.to_s = 1'767'225'601}).pem), "accepted");
  EXPECT_TRUE(has(read(make({.from_s = 1'767'225'601}).pem), "is not valid before"));
  const TestCertificate root =
      make({.common_name = "Old", .is_authority = true, .to_s = 1'700'000'001});
  const TestCertificate leaf = make({.issuer = &root});
  EXPECT_TRUE(has(read(leaf.pem + root.pem), "Certificate 2 of the chain expired"));
}

TEST(Chain, WantsStrongKeysAndDigests) {
  EXPECT_EQ(read(make({}, TestKey::rsa(2048)).pem), "accepted");
  EXPECT_EQ(read(make({}, TestKey::ed25519()).pem), "accepted");
  EXPECT_EQ(read(make({}, TestKey::ec("P-384")).pem), "accepted");
  EXPECT_TRUE(has(read(make({}, TestKey::rsa(1024)).pem), "RSA with 1024 bits"));
  EXPECT_TRUE(has(read(make({}, TestKey::ec("secp256k1")).pem), "curve secp256k1"));
  EXPECT_TRUE(has(read(make({}, TestKey::of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"))).pem),
                  "must be RSA, ECDSA or Ed25519"));
  const TestCertificate root = make_root();
  EXPECT_TRUE(has(read(make({.issuer = &root, .digest = EVP_sha1()}).pem), "MD5 or SHA-1"));
}

TEST(Chain, RefusesWhatIsNoPem) {
  const TestCertificate leaf = make({});
  std::string damaged = leaf.pem;
  damaged[damaged.size() / 2] = '!';
  for (const std::string& bad :
       {std::string(), std::string("garbage"), std::string("-----BEGIN CERTIFICATE-----"), damaged,
        leaf.pem.substr(0, leaf.pem.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("\0\xff\n", 3), make_request("a")}) {
    EXPECT_NE(read(bad), "accepted") << bad;
  }
  EXPECT_TRUE(has(read(std::string(model::kCertificatePemMax + 1, 'x')), "are allowed"));
  std::string many;
  for (std::size_t i = 0; i <= model::kChainLengthMax; ++i) many += leaf.pem;
  EXPECT_TRUE(has(read(many), "at most 10 certificates"));
}

TEST(Chain, ReadsWhateverComes) {
  constexpr unsigned kSeed = 20260101;
  std::mt19937 random(kSeed);
  const std::string good = make({}).pem;
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    for (std::size_t left = 1 + random() % 5; left-- > 0;) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bad.resize(random() % bad.size());
    const auto read = read_chain(bad, Want::kLeaf, Order::kSort, kNow);
    if (read) {
      EXPECT_FALSE(read.value().pem.empty()) << "seed " << kSeed << " case " << i;
    }
  }
}

TEST(Authorities, MayBeSeveralThatAreStrangers) {
  const TestCertificate one = make_root("One"), two = make_root("Two");
  const auto both = read_authorities(one.pem + two.pem, kNow);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both.value().subject.common_name, "One");
  EXPECT_EQ(both.value().pem, one.pem + two.pem);
  EXPECT_TRUE(has(refusal(read_authorities(one.pem + make({}).pem, kNow)), "Certificate 2"));
  const TestCertificate old = make({.is_authority = true, .to_s = 1'700'000'001});
  EXPECT_TRUE(has(refusal(read_authorities(old.pem, kNow)), "expired"));
}

TEST(PrivateKey, IsTheOneOfTheLeaf) {
  for (const TestKey& key : {TestKey::ec(), TestKey::rsa(2048), TestKey::ed25519()}) {
    const TestCertificate leaf = make({}, key);
    const auto read = read_key(key.pem, leaf.pem);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(has(read.value(), "-----BEGIN PRIVATE KEY-----"));
    EXPECT_TRUE(has(key_refusal(TestKey::ec().pem, leaf.pem), "not the one of the certificate"));
  }
}

TEST(PrivateKey, IsRefusedWithoutBeingQuoted) {
  const TestCertificate leaf = make({});
  const Bio bio = writer();
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), leaf.key.key.get(), EVP_aes_128_cbc(), password, 6,
                                nullptr, nullptr);
  EXPECT_TRUE(has(key_refusal(text_of(bio.get()), leaf.pem), "is encrypted"));
  EXPECT_TRUE(has(key_refusal("", leaf.pem), "no private_key"));
  EXPECT_TRUE(has(key_refusal(std::string(model::kPrivateKeyPemMax + 1, 'k'), leaf.pem), "octets"));
  EXPECT_TRUE(has(key_refusal(TestKey::rsa(1024).pem, leaf.pem), "1024 bits"));
  const std::string half = leaf.key.pem.substr(0, leaf.key.pem.size() / 2);
  for (const std::string& bad : {std::string("garbage"), half, leaf.pem}) {
    const std::string said = key_refusal(bad, leaf.pem);
    EXPECT_TRUE(has(said, "is not PEM that can be read")) << said;
    EXPECT_FALSE(has(said, bad));
  }
}

TEST(KeyKindOf, IsToldFromTheCertificate) {
  const auto kind = [](const TestCertificate& certificate) {
    const auto blocks = secret::decode_pem(certificate.pem);
    CHECK(blocks.has_value() && blocks->count == 1);
    return key_kind_of(blocks->octets);
  };
  EXPECT_EQ(kind(make({})), KeyKind::kEcdsa);
  EXPECT_EQ(kind(make({}, TestKey::ec("P-384"))), KeyKind::kEcdsa);
  EXPECT_EQ(kind(make({}, TestKey::rsa(2048))), KeyKind::kRsa);
  EXPECT_EQ(kind(make({}, TestKey::ed25519())), KeyKind::kEd25519);
  auto octets = secret::decode_pem(make({}).pem)->octets;
  for (std::size_t size = 0; size < octets.size(); ++size) {
    static_cast<void>(key_kind_of(std::vector(octets.begin(), octets.begin() + long(size))));
  }
  EXPECT_FALSE(key_kind_of({}).has_value());
}

class AuthorityTest : public ::testing::Test {
 protected:
  model::Outcome<model::Certificate> issue_for(const std::string& csr, std::uint32_t days = 365) {
    return issue(csr, days, authority_.certificate.pem, authority_.key, model::system_entropy(),
                 kNow);
  }
  NewAuthority authority_ = make_authority("Clients", model::system_entropy(), kNow);
};

TEST_F(AuthorityTest, SignsItselfAndCanBeReadBack) {
  const auto read = read_authorities(authority_.certificate.pem, kNow);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().subject.common_name, "Clients");
  EXPECT_TRUE(read_key(authority_.key, authority_.certificate.pem));
}

TEST_F(AuthorityTest, IssuesWhatVerifiesAgainstIt) {
  const auto issued = issue_for(make_request("client 1"));
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_EQ(issued.value().subject.common_name, "client 1");
  EXPECT_EQ(issued.value().subject.country, "DE");
  EXPECT_EQ(issued.value().expires_on.micros - kNow.micros, 365LL * 86'400'000'000);
  EXPECT_EQ(issued.value().key_id.size(), 40U);
  EXPECT_NE(issued.value().serial, issue_for(make_request("client 1")).value().serial);
  const Bio leaf_text = reader(issued.value().pem), root_text = reader(authority_.certificate.pem);
  const X509Ptr leaf(PEM_read_bio_X509(leaf_text.get(), nullptr, nullptr, nullptr));
  const X509Ptr root(PEM_read_bio_X509(root_text.get(), nullptr, nullptr, nullptr));
  X509_STORE* trusted = X509_STORE_new();
  X509_STORE_add_cert(trusted, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, trusted, leaf.get(), nullptr);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), kNow.micros / 1'000'000);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT);
  EXPECT_EQ(X509_verify_cert(context), 1)
      << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  X509_STORE_free(trusted);
}

TEST_F(AuthorityTest, RefusesRequestsThatAreNone) {
  const TestKey other = TestKey::ec();
  EXPECT_TRUE(has(refusal(issue_for("garbage")), "not PKCS #10"));
  EXPECT_TRUE(has(refusal(issue_for(std::string(20'000, 'x'))), "longer than"));
  EXPECT_TRUE(has(refusal(issue_for(make_request("a", TestKey::ec(), &other))), "own key"));
  EXPECT_TRUE(has(refusal(issue_for(make_request("a", TestKey::rsa(1024)))), "1024 bits"));
  EXPECT_TRUE(has(refusal(issue_for(make_request(""))), "no subject"));
  EXPECT_TRUE(has(refusal(issue_for(make_request("a"), 0)), "validity_days"));
  EXPECT_TRUE(has(refusal(issue_for(make_request("a"), kValidityDaysMax + 1)), "validity_days"));
}

}  // namespace
}  // namespace brink::ctl::certificate
