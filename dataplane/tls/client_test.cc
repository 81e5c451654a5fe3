// What a client stream holds an origin to, what it shows, and what it resumes.
#include <gtest/gtest.h>

#include "dataplane/tls/pair_fixture.h"

namespace brink::tls::test {
namespace {

class ClientTest : public testing::Test {
 protected:
  ClientTest() { show(good_); }

  void show(const Certificate& certificate) {
    bytes_ = certificate.bytes();
    HostSettings settings = hosts_.fallback.value_or(HostSettings{});
    settings.key = {1, settings.key.version + 1};
    settings.certificates = {&bytes_, 1};
    hosts_.fallback = settings;
  }

  OriginSettings settings() {
    OriginSettings origin;
    origin.origin = 42;
    origin.server_name = "origin.example";
    origin.accepted_names = names_;
    return origin;
  }

  // One connection; what the client came to.
  Failure visit(const OriginSettings& origin) {
    pair_.client.stream.reset();
    pair_.server.stream.reset();
    pair_.client.in.clear();
    pair_.server.in.clear();
    const Failure begun = engine_->connect(pair_.client.stream, origin);
    if (begun != Failure::kNone) return begun;
    EXPECT_EQ(server_engine_->accept(pair_.server.stream, hosts_, 0), Failure::kNone);
    pair_.shake();
    pair_.client.read_all();  // tickets, and alerts that follow the handshake
    pair_.server.read_all();
    pair_.client.read_all();
    return pair_.client.stream.failure();
  }
  Verification verification() { return pair_.client.stream.info().verification; }

  Certificate authority_ = authority("Public CA");
  Certificate good_ = leaf(authority_, {"origin.example", "*.wild.example"});
  CertificateBytes bytes_;
  std::vector<std::string_view> names_{"origin.example"};
  Hosts hosts_;
  std::unique_ptr<Engine> engine_ = make_engine({.origin_trust = authority_.der()});
  std::unique_ptr<Engine> server_engine_ = make_engine();
  Pair pair_;
};

TEST_F(ClientTest, AGoodOriginIsTaken) {
  EXPECT_EQ(visit(settings()), Failure::kNone);
  EXPECT_TRUE(pair_.established());
  EXPECT_EQ(verification(), Verification::kGood);
  EXPECT_EQ(pair_.server.stream.info().server_name, "origin.example");
  EXPECT_EQ(pair_.client.stream.peer_certificate()->der, good_.der());
}

TEST_F(ClientTest, ABadOriginIsRefusedByNameOrTakenUnseen) {
  const Certificate foreign_authority = authority("Foreign");
  const Certificate expired({.names = {"origin.example"},
                             .issuer = &authority_,
                             .from_seconds = -7200,
                             .to_seconds = -3600});
  const Certificate early(
      {.names = {"origin.example"}, .issuer = &authority_, .from_seconds = 3600});
  const Certificate self_signed({.names = {"origin.example"}});
  const Certificate untrusted({.names = {"origin.example"}, .issuer = &foreign_authority});
  const Certificate elsewhere = leaf(authority_, {"elsewhere.example"});
  const Certificate for_clients(
      {.names = {"origin.example"}, .issuer = &authority_, .for_clients = true});
  struct Case {
    const Certificate* shown;
    Verification verification;
    int alert;
  };
  for (const Case& c : {
           Case{&expired, Verification::kExpired, 45},
           Case{&early, Verification::kNotYetValid, 42},
           Case{&self_signed, Verification::kSelfSigned, 48},
           Case{&untrusted, Verification::kUntrusted, 48},
           Case{&elsewhere, Verification::kNameMismatch, 42},
           Case{&for_clients, Verification::kWrongPurpose, 43},
       }) {
    SCOPED_TRACE(name_of(c.verification));
    show(*c.shown);
    EXPECT_EQ(visit(settings()), Failure::kCertificate);
    EXPECT_EQ(verification(), c.verification) << name_of(verification());
    EXPECT_EQ(pair_.client.stream.alert(), c.alert);
    EXPECT_EQ(pair_.server.stream.failure(), Failure::kPeerRejectedUs);
    OriginSettings full = settings();
    full.verify = false;
    EXPECT_EQ(visit(full), Failure::kNone);
    EXPECT_TRUE(pair_.established());
    EXPECT_EQ(verification(), Verification::kNotAsked);
    EXPECT_EQ(visit(settings()), Failure::kCertificate) << "a session of `full` was resumed";
  }
}

TEST_F(ClientTest, OneOfTheAcceptedNamesSuffices) {
  names_ = {"requested.example", "origin.example"};
  EXPECT_EQ(visit(settings()), Failure::kNone);
  names_ = {"a.wild.example"};
  EXPECT_EQ(visit(settings()), Failure::kNone);
  names_ = {"a.b.wild.example"};
  EXPECT_EQ(visit(settings()), Failure::kCertificate);
  names_ = {"192.0.2.1"};
  EXPECT_EQ(visit(settings()), Failure::kCertificate);
  const Certificate by_address = leaf(authority_, {"IP:192.0.2.1"});
  show(by_address);
  OriginSettings origin = settings();
  origin.server_name = "192.0.2.1";
  EXPECT_EQ(visit(origin), Failure::kNone);
  EXPECT_EQ(pair_.server.stream.info().server_name, "");
}

TEST_F(ClientTest, AStoreOfTheZonesOwnReplacesThePublicOne) {
  const Certificate own = authority("Own CA");
  const Certificate origin = leaf(own, {"origin.example"});
  OriginSettings strict = settings();
  strict.trust = {.key = {5, 1}, .certificates = own.der()};
  EXPECT_EQ(visit(strict), Failure::kCertificate);
  show(origin);
  EXPECT_EQ(visit(strict), Failure::kNone);
  EXPECT_EQ(visit(settings()), Failure::kCertificate);
  EXPECT_EQ(engine_->stats().trust_stores, 1U);
  // A certificate that is itself in the store is trusted, though no authority.
  const Certificate alone({.names = {"origin.example"}});
  show(alone);
  strict.trust = {.key = {6, 1}, .certificates = alone.der()};
  EXPECT_EQ(visit(strict), Failure::kNone);
}

TEST_F(ClientTest, WhatCannotBeUsedIsRefusedBeforeAnyByte) {
  OriginSettings no_names = settings();
  no_names.accepted_names = {};
  EXPECT_EQ(visit(no_names), Failure::kMaterial);
  OriginSettings no_store = settings();
  no_store.trust.key = {9, 9};
  EXPECT_EQ(visit(no_store), Failure::kMaterial);
  OriginSettings bad_identity = settings();
  bad_identity.identity = {
      .key = {7, 1}, .chain = good_.der(), .private_key = authority_.private_key()};
  EXPECT_EQ(visit(bad_identity), Failure::kMaterial);
  EXPECT_FALSE(pair_.client.stream.active());
  const auto untrusting = make_engine();
  Stream stream;
  EXPECT_EQ(untrusting->connect(stream, settings()), Failure::kMaterial);
}

TEST_F(ClientTest, AnOriginThatAsksGetsTheCertificate) {
  const Certificate pulls = authority("Pulls");
  const Certificate edge({.common_name = "edge", .issuer = &pulls, .for_clients = true});
  hosts_.fallback->client_auth = ClientAuth::kRequired;
  hosts_.fallback->client_authorities = pulls.der();
  ++hosts_.fallback->key.version;
  EXPECT_EQ(visit(settings()), Failure::kPeerRejectedUs);
  EXPECT_EQ(pair_.client.stream.alert(), 116);  // certificate_required
  OriginSettings pull = settings();
  pull.identity = {.key = {3, 1}, .chain = edge.der(), .private_key = edge.private_key()};
  EXPECT_EQ(visit(pull), Failure::kNone);
  EXPECT_EQ(pair_.server.stream.peer_certificate()->subject, "CN=edge,O=Example");
  EXPECT_EQ(visit(pull), Failure::kNone);
  EXPECT_TRUE(pair_.client.stream.info().resumed);
  EXPECT_EQ(engine_->stats().identities, 1U);
}

TEST_F(ClientTest, ProtocolsAreOfferedAndAgreed) {
  const std::vector<Alpn> offered{Alpn::kH2, Alpn::kHttp11}, served{Alpn::kHttp11};
  hosts_.fallback->protocols = served;
  OriginSettings origin = settings();
  origin.protocols = offered;
  EXPECT_EQ(visit(origin), Failure::kNone);
  EXPECT_EQ(pair_.client.stream.info().protocol, Alpn::kHttp11);
  EXPECT_EQ(pair_.server.stream.info().protocol, Alpn::kHttp11);
  const std::vector<Alpn> only_h2{Alpn::kH2};
  origin.protocols = only_h2;
  EXPECT_EQ(visit(origin), Failure::kProtocol);
}

TEST_F(ClientTest, NoVersionInCommonIsToldApart) {
  hosts_.fallback->max_version = Version::kTls12;
  OriginSettings origin = settings();
  origin.min_version = Version::kTls13;
  EXPECT_EQ(visit(origin), Failure::kVersion);
}

TEST_F(ClientTest, SessionsAreUsedAgainAmongEqualSettings) {
  for (const Version version : {Version::kTls12, Version::kTls13}) {
    hosts_.fallback->max_version = version;
    ++hosts_.fallback->key.version;
    OriginSettings origin = settings();
    origin.origin = static_cast<std::uint64_t>(version) + 100;
    EXPECT_EQ(visit(origin), Failure::kNone);
    EXPECT_FALSE(pair_.client.stream.info().resumed);
    for (int again = 0; again < 3; ++again) {
      EXPECT_EQ(visit(origin), Failure::kNone);
      EXPECT_TRUE(pair_.client.stream.info().resumed) << again;
      EXPECT_TRUE(pair_.server.stream.info().resumed) << again;
      EXPECT_EQ(verification(), Verification::kGood);
    }
    OriginSettings other = origin;
    other.origin += 1000;
    EXPECT_EQ(visit(other), Failure::kNone);
    EXPECT_FALSE(pair_.client.stream.info().resumed);
  }
}

TEST_F(ClientTest, ASessionIsNotResumedForOtherNamesOrTrust) {
  EXPECT_EQ(visit(settings()), Failure::kNone);
  names_ = {"elsewhere.example"};
  EXPECT_EQ(visit(settings()), Failure::kCertificate);
  names_ = {"origin.example"};
  const Certificate own = authority("Own CA");
  OriginSettings strict = settings();
  strict.trust = {.key = {5, 1}, .certificates = own.der()};
  EXPECT_EQ(visit(strict), Failure::kCertificate);
}

TEST_F(ClientTest, TheSessionCacheIsBounded) {
  engine_ = make_engine({.max_origin_sessions = 4, .origin_trust = authority_.der()});
  for (std::uint64_t i = 0; i < 9; ++i) {
    OriginSettings origin = settings();
    origin.origin = i;
    EXPECT_EQ(visit(origin), Failure::kNone);
  }
  EXPECT_EQ(engine_->stats().origin_sessions, 4U);
}

TEST_F(ClientTest, ASilentOriginIsTruncation) {
  ASSERT_EQ(engine_->connect(pair_.client.stream, settings()), Failure::kNone);
  EXPECT_EQ(pair_.client.advance(), Status::kNeedsInput);
  pair_.client.stream.end_input();
  EXPECT_EQ(pair_.client.advance(), Status::kFailed);
  EXPECT_EQ(pair_.client.stream.failure(), Failure::kTruncated);
}

}  // namespace
}  // namespace brink::tls::test
