// Certificates of clients: what rules make of them, connection by connection.
#include "l7/credentials/client_certificates.h"
#include "l7/proxy/stage_tls_test_world.h"
#include "l7/render/rules_blob.h"
#include "l7/route/rules_view.h"

namespace brink::l7::proxy::testing {
namespace {

using render::RulesWriter;
using route::ChangeKind;
using route::RuleField;
using route::RulePhase;
using tls::test::Request;

struct Named {
  RuleField field;
  const char* header;
};
constexpr Named kTexts[] = {
    {RuleField::kCertFingerprintSha1, "X-Sha1"},
    {RuleField::kCertFingerprintSha256, "X-Sha256"},
    {RuleField::kCertSubjectDn, "X-Subject"},
    {RuleField::kCertIssuerDn, "X-Issuer"},
    {RuleField::kCertSerial, "X-Serial"},
    {RuleField::kCertIssuerSerial, "X-Issuer-Serial"},
    {RuleField::kCertSki, "X-Ski"},
    {RuleField::kCertIssuerSki, "X-Issuer-Ski"},
    {RuleField::kCertNotBefore, "X-Not-Before"},
    {RuleField::kCertNotAfter, "X-Not-After"},
    {RuleField::kCertRfc9440, "Client-Cert"},
    {RuleField::kCertChainRfc9440, "Client-Cert-Chain"},
};
constexpr Named kFlags[] = {
    {RuleField::kCertPresented, "X-Presented"},
    {RuleField::kCertVerified, "X-Verified"},
    {RuleField::kCertRevoked, "X-Revoked"},
    {RuleField::kCertRfc9440TooLarge, "X-Too-Large"},
    {RuleField::kCertChainRfc9440TooLarge, "X-Chain-Too-Large"},
};

// Blocks where the field is as said.
Bytes blocking(RuleField field, bool when) {
  RulesWriter firewall(RulePhase::kFirewall);
  const auto condition = firewall.program([&] {
    firewall.field(field);
    if (!when) firewall.apply(route::StepKind::kNot);
  });
  firewall.add_block(condition, {});
  return firewall.finish().value();
}

// Puts all that is known of the certificate into headers.
Bytes telling(RulePhase phase) {
  RulesWriter rules(phase);
  std::vector<render::ChangeSpec> changes;
  for (const Named& text : kTexts) {
    changes.push_back(
        {ChangeKind::kSet, text.header, rules.program([&] { rules.field(text.field); })});
  }
  const auto always = rules.program([&] { rules.flag(true); });
  rules.add_changes(always, changes);
  for (const Named& flag : kFlags) {
    rules.add_changes(rules.program([&] { rules.field(flag.field); }),
                      {{ChangeKind::kSet, flag.header, "yes"}});
  }
  return rules.finish().value();
}

std::string value_of(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

class StageClientCertificate : public SecureFixture {
 protected:
  Certificate made(Request request = {}) {
    request.common_name = "shop";
    if (request.issuer == nullptr) request.issuer = &clients_;
    request.for_clients = true;
    return Certificate(request);
  }
  // A connection of a client that shows it; null: nothing.
  Peer& connect_with(const Certificate* certificate, const std::string& name = "one.example.com") {
    identity_ = certificate;
    if (certificate != nullptr) identity_number_ = number_of(certificate);
    return connect_tls(name);
  }
  std::uint64_t number_of(const Certificate* certificate) {
    return reinterpret_cast<std::uintptr_t>(certificate);
  }
  void block_unless_verified() {
    serve({.clients = &clients_, .firewall = blocking(RuleField::kCertVerified, false)});
  }

  const Certificate clients_ = tls::test::authority("Clients");
  const Certificate shop_ = made();
};

TEST_F(StageClientCertificate, WhoShowsAGoodOneIsLetThrough) {
  block_unless_verified();
  Peer& client = connect_with(&shop_);
  EXPECT_EQ(status(client), 200) << client.received;
  EXPECT_EQ(status(client, "one.example.com", "/again"), 200);
  EXPECT_EQ(count(Counter::kHttpBlocked), 0U);
}

TEST_F(StageClientCertificate, WhoShowsNoneOrABadOneIsBlocked) {
  const Certificate strangers = tls::test::authority("Strangers");
  const Certificate impostors = tls::test::authority("Clients");
  const Certificate foreign = made({.issuer = &strangers});
  const Certificate forged = made({.issuer = &impostors});
  const Certificate expired = made({.from_seconds = -7200, .to_seconds = -3600});
  const Certificate early = made({.from_seconds = 3600, .to_seconds = 7200});
  block_unless_verified();
  for (const Certificate* shown :
       {&foreign, &forged, &expired, &early, static_cast<const Certificate*>(nullptr)}) {
    Peer& client = connect_with(shown);
    EXPECT_EQ(status(client), 403);
    EXPECT_TRUE(has(client, "\r\ncf-error-type: 1020\r\n"));
  }
  EXPECT_EQ(status(connect(80)), 403) << "without TLS";
  EXPECT_EQ(count(Counter::kHttpBlocked), 6U);
  EXPECT_TRUE(origin_->peers.empty());
}

TEST_F(StageClientCertificate, OneThatIsNotGoodIsPresentedAllTheSame) {
  const Certificate self_signed({.common_name = "shop", .for_clients = true});
  serve({.clients = &clients_, .firewall = blocking(RuleField::kCertPresented, true)});
  EXPECT_EQ(status(connect_with(&self_signed)), 403);
  EXPECT_EQ(status(connect_with(nullptr)), 200);
  EXPECT_EQ(status(connect_with(&shop_, "two.example.com"), "two.example.com"), 200)
      << "that host asks for none";
}

TEST_F(StageClientCertificate, AllThatItSaysReachesTheRulesOfBothWays) {
  serve({.clients = &clients_,
         .request = telling(RulePhase::kRequest),
         .response = telling(RulePhase::kResponse)});
  Peer& client = connect_with(&shop_);
  EXPECT_EQ(status(client), 200) << client.received;
  ASSERT_EQ(requests_.size(), 1U);
  for (const std::string& head : {requests_[0], client.received}) {
    EXPECT_EQ(value_of(head, "X-Subject"), "CN=shop,O=Example");
    EXPECT_EQ(value_of(head, "X-Issuer"), "CN=Clients,O=Example");
    EXPECT_EQ(value_of(head, "X-Sha1").size(), 40U);
    EXPECT_EQ(value_of(head, "X-Sha256").size(), 64U);
    EXPECT_EQ(value_of(head, "X-Serial").size(), 16U);
    EXPECT_EQ(value_of(head, "X-Issuer-Ski").size(), 40U);
    EXPECT_EQ(value_of(head, "X-Not-After").size(), 24U);
    EXPECT_TRUE(value_of(head, "X-Not-After").ends_with(" GMT"));
    EXPECT_EQ(value_of(head, "Client-Cert"), credentials::rfc9440_item(shop_.der()));
    EXPECT_EQ(value_of(head, "X-Presented"), "yes");
    EXPECT_EQ(value_of(head, "X-Verified"), "yes");
    EXPECT_EQ(value_of(head, "X-Revoked"), "");
    EXPECT_EQ(value_of(head, "X-Too-Large"), "");
    EXPECT_EQ(value_of(head, "Client-Cert-Chain"), "") << "nothing was shown above it";
  }
}

TEST_F(StageClientCertificate, WhatIsAboveItIsTold) {
  const Certificate between({.common_name = "Between", .issuer = &clients_, .is_authority = true});
  const Certificate below = made({.issuer = &between});
  serve({.clients = &clients_, .request = telling(RulePhase::kRequest)});
  above_identity_ = between.der();
  EXPECT_EQ(status(connect_with(&below)), 200);
  EXPECT_EQ(value_of(requests_[0], "X-Verified"), "yes");
  EXPECT_EQ(value_of(requests_[0], "X-Issuer-Serial").size(), 16U);
  EXPECT_EQ(value_of(requests_[0], "Client-Cert-Chain"), credentials::rfc9440_item(between.der()));
  above_identity_.insert(above_identity_.end(), clients_.der().begin(), clients_.der().end());
  const Certificate another = made({.issuer = &between});
  EXPECT_EQ(status(connect_with(&another)), 200);
  EXPECT_EQ(
      value_of(requests_[1], "Client-Cert-Chain"),
      credentials::rfc9440_item(between.der()) + ", " + credentials::rfc9440_item(clients_.der()));
}

TEST_F(StageClientCertificate, WhatIsTooLargeIsNotToldButThatItIs) {
  const std::vector<std::string> names(500, "a-name-of-some-length.example.com");
  const Certificate between(
      {.common_name = "Between", .names = names, .issuer = &clients_, .is_authority = true});
  const Certificate below = made({.issuer = &between});
  const Certificate large = made({.names = {names.begin(), names.begin() + 300}});
  serve({.clients = &clients_, .request = telling(RulePhase::kRequest)});
  EXPECT_EQ(status(connect_with(&large)), 200);
  EXPECT_EQ(value_of(requests_[0], "Client-Cert"), "");
  EXPECT_EQ(value_of(requests_[0], "X-Too-Large"), "yes");
  EXPECT_EQ(value_of(requests_[0], "X-Chain-Too-Large"), "");
  EXPECT_EQ(value_of(requests_[0], "X-Verified"), "yes");
  above_identity_ = between.der();
  EXPECT_EQ(status(connect_with(&below)), 200);
  EXPECT_EQ(value_of(requests_[1], "Client-Cert-Chain"), "");
  EXPECT_EQ(value_of(requests_[1], "X-Too-Large"), "");
  EXPECT_EQ(value_of(requests_[1], "X-Chain-Too-Large"), "yes");
}

TEST_F(StageClientCertificate, WhatAClientSaysOfOneItselfGoesNoFurther) {
  serve({.clients = &clients_, .request = telling(RulePhase::kRequest)});
  Peer& client = connect_with(nullptr);
  send(client, get("/",
                   "Client-Cert: :YQ==:\r\nclient_cert_chain: :YQ==:\r\n"
                   "Cf-Client-Cert-Sha256: 00\r\nCF-Client-Cert-Der-Base64: YQ==\r\n"));
  ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
  for (const char* part : {"lient-", "lient_", "X-Presented"}) {
    EXPECT_EQ(origin(0).received.find(part), std::string::npos) << origin(0).received;
  }
}

TEST_F(StageClientCertificate, AHostThatForwardsTellsItsOrigins) {
  serve({.clients = &clients_, .forwards = true});
  Peer& client = connect_with(&shop_);
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(status(client), 200);
  ASSERT_EQ(requests_.size(), 2U);
  const std::string item = credentials::rfc9440_item(shop_.der());
  for (const std::string& head : requests_) EXPECT_EQ(value_of(head, "Client-Cert"), item);
  EXPECT_EQ(value_of(requests_[0], "Cf-Client-Cert-Der-Base64"), item.substr(1, item.size() - 2));
  EXPECT_EQ(value_of(requests_[0], "Cf-Client-Cert-Sha256").size(), 64U);
  EXPECT_EQ(requests_[1].find("Cf-Client-Cert"), std::string::npos) << "with the first only";
  EXPECT_EQ(status(connect_with(nullptr)), 200);
  EXPECT_EQ(requests_.back().find("lient-Cert"), std::string::npos);
}

TEST_F(StageClientCertificate, OneThatIsNotGoodIsNotForwarded) {
  const Certificate strangers = tls::test::authority("Strangers");
  const Certificate foreign = made({.issuer = &strangers});
  serve({.clients = &clients_, .forwards = true});
  EXPECT_EQ(status(connect_with(&foreign)), 200);
  EXPECT_EQ(requests_.back().find("lient-Cert"), std::string::npos) << requests_.back();
}

TEST_F(StageClientCertificate, WhatARuleSaysOfItTakesThePlaceOfTheSetting) {
  serve({.clients = &clients_, .forwards = true, .request = telling(RulePhase::kRequest)});
  EXPECT_EQ(status(connect_with(&shop_)), 200);
  const std::string& head = requests_.back();
  const std::size_t first = head.find("Client-Cert: ");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(head.find("\r\nClient-Cert: ", first), std::string::npos) << "once";
}

TEST_F(StageClientCertificate, AResumedSessionKeepsIt) {
  serve({.clients = &clients_,
         .firewall = blocking(RuleField::kCertVerified, false),
         .request = telling(RulePhase::kRequest)});
  EXPECT_EQ(status(connect_with(&shop_)), 200);
  Peer& again = connect_with(&shop_);
  EXPECT_EQ(status(again), 200);
  EXPECT_TRUE(client_->transport.security(again.id)->info().resumed);
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(value_of(requests_[1], "Client-Cert"), credentials::rfc9440_item(shop_.der()));
}

TEST_F(StageClientCertificate, ARevocationHoldsFromTheNextRequestOn) {
  Served served{.clients = &clients_,
                .firewall = blocking(RuleField::kCertRevoked, true),
                .request = telling(RulePhase::kRequest)};
  serve(served);
  Peer& client = connect_with(&shop_);
  EXPECT_EQ(status(client), 200);
  const std::string serial = value_of(requests_.back(), "X-Serial");
  Bytes octets;
  for (std::size_t i = 0; i < serial.size(); i += 2) {
    octets.push_back(static_cast<std::uint8_t>(std::stoi(serial.substr(i, 2), nullptr, 16)));
  }
  served.revoked_serial = octets;
  serve(served);
  EXPECT_EQ(status(client), 403) << "the same connection";
  EXPECT_EQ(status(connect_with(&shop_)), 403) << "a resumed one";
  const Certificate other = made();
  EXPECT_EQ(status(connect_with(&other)), 200) << "another certificate";
  served.revoked_serial = {};
  serve(served);
  EXPECT_EQ(status(client), 200) << "taken back";
}

TEST_F(StageClientCertificate, OneThatRunsOutIsNotGoodAnyMore) {
  block_unless_verified();
  Peer& client = connect_with(&shop_);
  EXPECT_EQ(status(client), 200);
  const auto until = std::chrono::system_clock::now().time_since_epoch() + std::chrono::hours(25);
  stage_->set_wall_offset(std::chrono::duration_cast<base::Duration>(until) -
                          now_.time_since_epoch());
  EXPECT_EQ(status(client), 403);
}

TEST_F(StageClientCertificate, AHostThatAsksForOthersIsMisdirected) {
  serve({.clients = &clients_});
  Peer& unasked = connect_with(nullptr, "two.example.com");
  EXPECT_EQ(status(unasked, "one.example.com"), 421);
  EXPECT_EQ(status(unasked, "two.example.com"), 200);
  Peer& asked = connect_with(&shop_, "one.example.com");
  EXPECT_EQ(status(asked, "two.example.com"), 421);
  EXPECT_EQ(status(asked, "www.example.com"), 200) << "it asks for the same";
}

TEST_F(StageClientCertificate, OneConnectionsIsNotAnothers) {
  block_unless_verified();
  for (int i = 0; i < 3; ++i) {
    Peer& client = connect_with(&shop_);
    EXPECT_EQ(status(client), 200);
    client.close_when_sent = true;
    ASSERT_TRUE(settle_until([&] { return client.closed; }));
    ASSERT_EQ(stage_->client_count(), 0U) << "its place is free again";
    Peer& next = connect_with(nullptr);
    EXPECT_EQ(status(next), 403);
    next.close_when_sent = true;
    ASSERT_TRUE(settle_until([&] { return next.closed; }));
  }
}

}  // namespace
}  // namespace brink::l7::proxy::testing
