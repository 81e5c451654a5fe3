// What a server shows and asks: hosts by name, certificates by kind, protocols, tickets, clients'
// certificates. The peer is the library itself where our client stream would not do such things.
#include <gtest/gtest.h>

#include <thread>

#include "dataplane/tls/pair_fixture.h"

namespace brink::tls::test {
namespace {

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    bytes_a_ = {ecdsa_.bytes(), rsa_.bytes()};
    bytes_b_ = {other_.bytes()};
    hosts_.hosts["a.example"] = {.key = {1, 1}, .certificates = bytes_a_, .protocols = protocols_};
    hosts_.hosts["b.example"] = {.key = {2, 1}, .certificates = bytes_b_};
  }

  void accept(End& end, Engine& engine) {
    end.stream.reset();
    end.in.clear();
    ASSERT_EQ(engine.accept(end.stream, hosts_, 0), Failure::kNone);
  }
  void accept(End& end) { accept(end, *engine_); }

  // The common name of what the server showed.
  static std::string shown(const RawClient& client) {
    const X509* leaf = SSL_get0_peer_certificate(client.ssl.get());
    if (leaf == nullptr) return "";
    char text[256];
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof text);
    return text;
  }

  static void show_certificate(RawClient& client, const Certificate& certificate) {
    SSL_use_certificate(client.ssl.get(), certificate.x509());
    SSL_use_PrivateKey(client.ssl.get(), certificate.key());
  }

  // One whole connection that leaves a ticket, if there is any, in the client.
  void visit(RawClient& client, const char* name, Engine& engine) {
    client.name(name);
    accept(server_, engine);
    client.talk(server_);
  }
  void visit(RawClient& client, const char* name) { visit(client, name, *engine_); }

  void ask_for_certificates(const std::string& name, ClientAuth mode, const Certificate& trusted) {
    HostSettings& host = hosts_.hosts[name];
    ++host.key.version;
    host.client_auth = mode;
    host.client_authorities = trusted.der();
  }

  Certificate authority_ = authority();
  Certificate ecdsa_ = leaf(authority_, {"a.example"});
  Certificate rsa_ = leaf(authority_, {"rsa.a.example"}, KeyKind::kRsa);
  Certificate other_ = leaf(authority_, {"b.example"});
  Certificate client_authority_ = authority("Clients");
  Certificate client_ =
      Certificate({.common_name = "client one", .issuer = &client_authority_, .for_clients = true});
  std::vector<CertificateBytes> bytes_a_, bytes_b_;
  std::vector<Alpn> protocols_{Alpn::kH2, Alpn::kHttp11};
  Hosts hosts_;
  std::unique_ptr<Engine> engine_ = make_engine();
  End server_;
};

TEST_F(ServerTest, TheNameChoosesTheHost) {
  for (const char* name : {"a.example", "b.example", "B.Example"}) {
    RawClient client;
    visit(client, name);
    EXPECT_TRUE(server_.stream.established());
    EXPECT_EQ(shown(client), name == std::string_view("a.example") ? "a.example" : "b.example");
  }
  EXPECT_EQ(hosts_.asked.back(), "b.example");
  EXPECT_EQ(engine_->stats().hosts_made, 2U);
}

TEST_F(ServerTest, NoNameAsksForTheEmptyOne) {
  hosts_.hosts[""] = hosts_.hosts["b.example"];
  RawClient client;
  accept(server_);
  client.talk(server_);
  EXPECT_TRUE(server_.stream.established());
  EXPECT_EQ(shown(client), "b.example");
  EXPECT_EQ(server_.stream.info().server_name, "");
}

TEST_F(ServerTest, AnUnknownNameIsRefusedWithItsAlert) {
  RawClient client;
  visit(client, "c.example");
  EXPECT_EQ(server_.stream.failure(), Failure::kUnknownName);
  EXPECT_EQ(server_.stream.alert(), 112);
  EXPECT_FALSE(SSL_is_init_finished(client.ssl.get()));
}

TEST_F(ServerTest, ANameThatIsNoneIsMalformed) {
  for (const char* name : {"a b.example", "a/example", "*"}) {
    RawClient client;
    visit(client, name);
    EXPECT_EQ(server_.stream.failure(), Failure::kMalformed) << name;
  }
  EXPECT_TRUE(hosts_.asked.empty());
}

TEST_F(ServerTest, TheClientsSignaturesChooseTheCertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient rsa_only, any;
    SSL_set_max_proto_version(rsa_only.ssl.get(), version);
    SSL_set_max_proto_version(any.ssl.get(), version);
    SSL_set1_sigalgs_list(rsa_only.ssl.get(), "RSA-PSS+SHA256:RSA+SHA256");
    visit(rsa_only, "a.example");
    EXPECT_EQ(shown(rsa_only), "rsa.a.example");
    visit(any, "a.example");
    EXPECT_EQ(shown(any), "a.example");
  }
}

TEST_F(ServerTest, VersionsOutsideTheHostsRangeAreRefused) {
  hosts_.hosts["a.example"].min_version = Version::kTls13;
  RawClient old, young;
  SSL_set_max_proto_version(old.ssl.get(), TLS1_2_VERSION);
  visit(old, "a.example");
  EXPECT_EQ(server_.stream.failure(), Failure::kVersion);
  EXPECT_EQ(server_.stream.alert(), 70);
  visit(young, "a.example");
  EXPECT_EQ(server_.stream.info().version, Version::kTls13);
}

TEST_F(ServerTest, CiphersFollowThePolicy) {
  struct Case {
    CipherPolicy policy;
    const char* offered;
    Failure failure;
  };
  for (const Case& c : {
           Case{CipherPolicy::kModern, "ECDHE-RSA-AES128-SHA256", Failure::kCipher},
           Case{CipherPolicy::kCompatible, "ECDHE-RSA-AES128-SHA256", Failure::kNone},
           Case{CipherPolicy::kCompatible, "AES128-SHA", Failure::kCipher},
           Case{CipherPolicy::kLegacy, "AES128-SHA", Failure::kNone},
           Case{CipherPolicy::kModern, "ECDHE-ECDSA-CHACHA20-POLY1305", Failure::kNone},
       }) {
    HostSettings& host = hosts_.hosts["a.example"];
    ++host.key.version;
    host.ciphers = c.policy;
    RawClient client;
    SSL_set_max_proto_version(client.ssl.get(), TLS1_2_VERSION);
    SSL_set_cipher_list(client.ssl.get(), c.offered);
    visit(client, "a.example");
    EXPECT_EQ(server_.stream.failure(), c.failure) << c.offered;
    EXPECT_EQ(server_.stream.established(), c.failure == Failure::kNone) << c.offered;
  }
}

TEST_F(ServerTest, TheHostsOrderChoosesTheProtocol) {
  const auto offer = [](RawClient& client, std::string_view list) {
    SSL_set_alpn_protos(client.ssl.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  };
  RawClient both, old, none, foreign;
  offer(both, "\x08http/1.1\x02h2");
  visit(both, "a.example");
  EXPECT_EQ(server_.stream.info().protocol, Alpn::kH2);
  offer(old, "\x08http/1.1");
  visit(old, "a.example");
  EXPECT_EQ(server_.stream.info().protocol, Alpn::kHttp11);
  visit(none, "a.example");
  EXPECT_TRUE(server_.stream.established());
  EXPECT_EQ(server_.stream.info().protocol, Alpn::kNone);
  offer(foreign,
        "\x03"
        "dot");
  visit(foreign, "a.example");
  EXPECT_EQ(server_.stream.failure(), Failure::kProtocol);
  EXPECT_EQ(server_.stream.alert(), 120);
}

TEST_F(ServerTest, TheResponseOfTheCertificateThatIsShownIsStapled) {
  ecdsa_.ocsp = ocsp_response(ecdsa_, authority_);
  rsa_.ocsp = ocsp_response(rsa_, authority_);
  bytes_a_ = {ecdsa_.bytes(), rsa_.bytes()};
  hosts_.hosts["a.example"].certificates = bytes_a_;
  const auto stapled = [](const RawClient& client) {
    const unsigned char* response = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(client.ssl.get(), &response);
    return size > 0 ? Bytes(response, response + size) : Bytes{};
  };
  for (const bool rsa : {false, true}) {
    RawClient client;
    SSL_set_tlsext_status_type(client.ssl.get(), TLSEXT_STATUSTYPE_ocsp);
    if (rsa) SSL_set1_sigalgs_list(client.ssl.get(), "RSA-PSS+SHA256");
    visit(client, "a.example");
    EXPECT_EQ(stapled(client), rsa ? rsa_.ocsp : ecdsa_.ocsp);
  }
  RawClient other;
  SSL_set_tlsext_status_type(other.ssl.get(), TLSEXT_STATUSTYPE_ocsp);
  visit(other, "b.example");
  EXPECT_TRUE(server_.stream.established());
  EXPECT_TRUE(stapled(other).empty());
}

TEST_F(ServerTest, ATicketResumesOnAnotherWorkerWithTheSameKeys) {
  const TicketKeys keys{.current = {.name = {1}, .cipher = {2}, .mac = {3}}};
  const auto first = make_engine(), second = make_engine(), stranger = make_engine();
  first->set_ticket_keys(keys);
  second->set_ticket_keys(keys);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient client;
    SSL_set_max_proto_version(client.ssl.get(), version);
    visit(client, "a.example", *first);
    ASSERT_TRUE(client.session);
    EXPECT_FALSE(client.resumed());
    RawClient again(client.session.get()), refused(client.session.get());
    visit(again, "a.example", *second);
    EXPECT_TRUE(again.resumed());
    EXPECT_TRUE(server_.stream.info().resumed);
    EXPECT_EQ(server_.stream.info().server_name, "a.example");
    visit(refused, "a.example", *stranger);
    EXPECT_TRUE(server_.stream.established());
    EXPECT_FALSE(refused.resumed());
  }
  server_.stream.reset();  // before the engine that it belongs to
}

TEST_F(ServerTest, TicketKeysRotateAsARing) {
  const TicketKey one{.name = {1}, .cipher = {1}, .mac = {1}};
  const TicketKey two{.name = {2}, .cipher = {2}, .mac = {2}};
  const TicketKey three{.name = {3}, .cipher = {3}, .mac = {3}};
  RawClient client;
  engine_->set_ticket_keys({.current = one, .previous = {}, .next = two});
  visit(client, "a.example");
  const auto resumes = [&](const TicketKeys& keys) {
    RawClient again(client.session.get());
    engine_->set_ticket_keys(keys);
    visit(again, "a.example");
    EXPECT_TRUE(server_.stream.established());
    return again.resumed();
  };
  EXPECT_TRUE(resumes({.current = two, .previous = one, .next = three}));
  EXPECT_TRUE(resumes({.current = two, .previous = {}, .next = one}));
  EXPECT_FALSE(resumes({.current = three, .previous = two, .next = {}}));
}

TEST_F(ServerTest, ASessionOfOneHostDoesNotResumeOnAnother) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient client;
    SSL_set_max_proto_version(client.ssl.get(), version);
    visit(client, "a.example");
    ASSERT_TRUE(client.session);
    RawClient elsewhere(client.session.get()), here(client.session.get());
    visit(elsewhere, "b.example");
    EXPECT_TRUE(server_.stream.established());
    EXPECT_FALSE(elsewhere.resumed());
    visit(here, "a.example");
    EXPECT_TRUE(here.resumed());
  }
}

TEST_F(ServerTest, ASessionDoesNotOutliveTheAuthoritiesItWasMadeFor) {
  RawClient before;
  visit(before, "a.example");
  ask_for_certificates("a.example", ClientAuth::kRequired, client_authority_);
  RawClient without(before.session.get());
  visit(without, "a.example");
  EXPECT_EQ(server_.stream.failure(), Failure::kNoCertificate);

  RawClient with;
  show_certificate(with, client_);
  visit(with, "a.example");
  EXPECT_EQ(server_.stream.info().verification, Verification::kGood);
  RawClient again(with.session.get());
  visit(again, "a.example");
  EXPECT_TRUE(again.resumed());
  EXPECT_EQ(server_.stream.info().verification, Verification::kGood);
  EXPECT_EQ(server_.stream.peer_certificate()->der, client_.der());

  const Certificate others = authority("Others");
  ask_for_certificates("a.example", ClientAuth::kRequired, others);
  RawClient foreign(with.session.get());
  show_certificate(foreign, client_);
  visit(foreign, "a.example");
  EXPECT_FALSE(foreign.resumed());
  EXPECT_EQ(server_.stream.failure(), Failure::kCertificate);
}

TEST_F(ServerTest, RequiredCertificatesEndTheHandshakeIfBad) {
  ask_for_certificates("a.example", ClientAuth::kRequired, client_authority_);
  const Certificate late({.common_name = "late",
                          .issuer = &client_authority_,
                          .for_clients = true,
                          .from_seconds = -7200,
                          .to_seconds = -3600});
  const Certificate foreign_authority = authority("Foreign");
  const Certificate foreign({.issuer = &foreign_authority, .for_clients = true});
  const Certificate self_signed({.for_clients = true});
  const Certificate server({.issuer = &client_authority_});
  struct Case {
    const Certificate* shown;
    Failure failure;
    Verification verification;
  };
  for (const Case& c : {
           Case{&client_, Failure::kNone, Verification::kGood},
           Case{nullptr, Failure::kNoCertificate, Verification::kAbsent},
           Case{&late, Failure::kCertificate, Verification::kExpired},
           Case{&foreign, Failure::kCertificate, Verification::kUntrusted},
           Case{&self_signed, Failure::kCertificate, Verification::kSelfSigned},
           Case{&server, Failure::kCertificate, Verification::kWrongPurpose},
       }) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      RawClient client;
      SSL_set_max_proto_version(client.ssl.get(), version);
      if (c.shown != nullptr) show_certificate(client, *c.shown);
      visit(client, "a.example");
      EXPECT_EQ(server_.stream.failure(), c.failure);
      EXPECT_EQ(server_.stream.info().verification, c.verification)
          << name_of(server_.stream.info().verification);
      EXPECT_EQ(server_.stream.established(), c.failure == Failure::kNone);
    }
  }
}

TEST_F(ServerTest, OptionalCertificatesAreJudgedAndTheConnectionGoesOn) {
  ask_for_certificates("a.example", ClientAuth::kOptional, client_authority_);
  const Certificate foreign_authority = authority("Foreign");
  const Certificate foreign({.issuer = &foreign_authority, .for_clients = true});
  struct Case {
    const Certificate* shown;
    Verification verification;
  };
  for (const Case& c : {Case{&client_, Verification::kGood}, Case{nullptr, Verification::kAbsent},
                        Case{&foreign, Verification::kUntrusted}}) {
    RawClient client;
    if (c.shown != nullptr) show_certificate(client, *c.shown);
    visit(client, "a.example");
    ASSERT_TRUE(server_.stream.established());
    EXPECT_EQ(server_.stream.info().verification, c.verification);
    EXPECT_EQ(server_.stream.peer_certificate().has_value(), c.shown != nullptr);
    RawClient again(client.session.get());
    visit(again, "a.example");
    EXPECT_TRUE(again.resumed());
    EXPECT_EQ(server_.stream.info().verification, c.verification);
  }
}

TEST_F(ServerTest, WithoutAuthoritiesNoCertificateIsGoodAndTheConnectionGoesOn) {
  ask_for_certificates("a.example", ClientAuth::kOptional, client_authority_);
  hosts_.hosts.at("a.example").client_authorities = {};
  const Certificate* const all[] = {&client_, nullptr};
  for (const Certificate* shown : all) {
    RawClient client;
    if (shown != nullptr) show_certificate(client, *shown);
    visit(client, "a.example");
    ASSERT_TRUE(server_.stream.established());
    EXPECT_EQ(server_.stream.info().verification,
              shown != nullptr ? Verification::kUntrusted : Verification::kAbsent);
  }
}

TEST_F(ServerTest, ACertificateOverItsTimeIsNotResumed) {
  ask_for_certificates("a.example", ClientAuth::kOptional, client_authority_);
  const Certificate late({.common_name = "late",
                          .issuer = &client_authority_,
                          .for_clients = true,
                          .from_seconds = -7200,
                          .to_seconds = -3600});
  RawClient client;
  show_certificate(client, late);
  visit(client, "a.example");
  ASSERT_TRUE(server_.stream.established());
  EXPECT_EQ(server_.stream.info().verification, Verification::kExpired);
  RawClient again(client.session.get());
  show_certificate(again, late);
  visit(again, "a.example");
  EXPECT_TRUE(server_.stream.established());
  EXPECT_FALSE(again.resumed());
}

TEST_F(ServerTest, AClientsCertificateIsThereWithAllThatFieldsSay) {
  ask_for_certificates("a.example", ClientAuth::kRequired, client_authority_);
  const Certificate middle(
      {.common_name = "Middle", .issuer = &client_authority_, .is_authority = true});
  const Certificate deep({.common_name = "deep", .issuer = &middle, .for_clients = true});
  RawClient client;
  show_certificate(client, deep);
  SSL_add1_chain_cert(client.ssl.get(), middle.x509());
  visit(client, "a.example");
  ASSERT_TRUE(server_.stream.established());
  const auto found = server_.stream.peer_certificate();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->der, deep.der());
  EXPECT_EQ(found->subject, "CN=deep,O=Example");
  EXPECT_EQ(found->issuer, "CN=Middle,O=Example");
  EXPECT_EQ(found->subject_legacy, "/O=Example/CN=deep");
  EXPECT_EQ(found->serial.size(), 16U);
  EXPECT_EQ(found->issuer_serial.size(), 16U);
  EXPECT_NE(found->issuer_serial, found->serial);
  EXPECT_EQ(found->sha256.size(), 64U);
  EXPECT_EQ(found->sha1.size(), 40U);
  EXPECT_EQ(found->key_id.size(), 40U);
  EXPECT_EQ(found->issuer_key_id.size(), 40U);
  EXPECT_EQ(found->not_after - found->not_before, 3600 + 86400);
  ASSERT_EQ(found->chain.size(), 1U);
  EXPECT_EQ(found->chain[0], middle.der());
}

TEST_F(ServerTest, ANewVersionIsForNewConnectionsOnly) {
  RawClient old_client, new_client;
  End old_end;
  old_client.name("a.example");
  accept(old_end);
  old_client.talk(old_end);
  const Certificate renewed = leaf(authority_, {"renewed.example"});
  const CertificateBytes bytes = renewed.bytes();
  hosts_.hosts["a.example"].key.version = 2;
  hosts_.hosts["a.example"].certificates = {&bytes, 1};
  engine_->forget(1);
  EXPECT_EQ(engine_->stats().hosts, 0U);
  visit(new_client, "a.example");
  EXPECT_EQ(shown(new_client), "renewed.example");
  SSL_write(old_client.ssl.get(), "still here", 10);
  old_client.talk(old_end);
  EXPECT_EQ(old_client.received, "still here");
}

TEST_F(ServerTest, TheLeastRecentlyUsedHostMakesRoomWhileItsHandshakesGoOn) {
  const auto small = make_engine({.max_hosts = 1});
  Pair pair;
  accept(pair.server, *small);
  ASSERT_EQ(engine_->connect(pair.client.stream, {.server_name = "a.example", .verify = false}),
            Failure::kNone);
  pair.client.advance();
  pair.server.advance();
  RawClient other;
  visit(other, "b.example", *small);
  EXPECT_TRUE(server_.stream.established());
  EXPECT_EQ(small->stats().hosts, 1U);
  EXPECT_EQ(small->stats().hosts_evicted, 1U);
  pair.shake();
  EXPECT_TRUE(pair.established());
  server_.stream.reset();  // before the engine that it belongs to
}

TEST_F(ServerTest, EachThreadHasAnEngineOfItsOwn) {
  std::array<int, 2> established{};
  const auto work = [this](int& count) {
    Hosts hosts;
    hosts.hosts = hosts_.hosts;
    const auto engine = make_engine(), origin = make_engine();
    for (int i = 0; i < 30; ++i) {
      Pair pair;
      EXPECT_EQ(engine->accept(pair.server.stream, hosts, 0), Failure::kNone);
      EXPECT_EQ(origin->connect(pair.client.stream, {.server_name = "a.example", .verify = false}),
                Failure::kNone);
      pair.shake();
      count += pair.established() ? 1 : 0;
    }
  };
  std::thread first(work, std::ref(established[0])), second(work, std::ref(established[1]));
  first.join();
  second.join();
  EXPECT_EQ(established, (std::array{30, 30}));
}

TEST_F(ServerTest, BytesThatCannotBeUsedAreRefusedAndNotParsedAgain) {
  CertificateBytes wrong_key = ecdsa_.bytes();
  wrong_key.private_key = other_.private_key();
  HostSettings& host = hosts_.hosts["a.example"];
  host.certificates = {&wrong_key, 1};
  for (int i = 0; i < 2; ++i) {
    RawClient client;
    visit(client, "a.example");
    EXPECT_EQ(server_.stream.failure(), Failure::kMaterial);
    EXPECT_EQ(server_.stream.alert(), 80);
  }
  EXPECT_EQ(engine_->stats().hosts_failed, 1U);
  EXPECT_EQ(engine_->prepare(host).error().message(),
            "host 1 version 1 certificate 0: its private key belongs to another certificate (give "
            "the key that the first certificate was made for)");
  const Bytes cut(ecdsa_.der().begin(), ecdsa_.der().end() - 1);
  CertificateBytes short_chain = ecdsa_.bytes();
  short_chain.chain = cut;
  host.certificates = {&short_chain, 1};
  EXPECT_FALSE(engine_->prepare(host).ok());
  host.certificates = {};
  EXPECT_FALSE(engine_->prepare(host).ok());
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace brink::tls::test
