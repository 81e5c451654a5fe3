// TLS on both sides of the stage.
#include "l7/proxy/stage_tls_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

std::string pattern(std::size_t size) {
  std::minstd_rand random(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

Certificate certificate_of(tls::test::Request request) {
  return Certificate(request);
}

using StageSecurity = SecureFixture;

TEST_F(StageSecurity, ClientAndOriginSpeakTls) {
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(body_of(client.received), "answer");
  EXPECT_EQ(last_origin_->local.port, 443);
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_NE(requests_[0].find("X-Forwarded-Proto: https\r\n"), std::string::npos);
  EXPECT_NE(requests_[0].find("CF-Visitor: {\"scheme\":\"https\"}\r\n"), std::string::npos);
  EXPECT_EQ(count(Counter::kTlsHandshakes), 1U);
  EXPECT_EQ(count(Counter::kTlsOriginHandshakes), 1U);
  EXPECT_EQ(count(Counter::kTlsFailed), 0U);
  const auto info = client_->transport.security(client.id)->info();
  EXPECT_EQ(info.version, tls::Version::kTls13);
  EXPECT_EQ(info.protocol, tls::Alpn::kHttp11);
}

TEST_F(StageSecurity, KeepsConnectionsOfBothSidesAlive) {
  Peer& client = connect_tls();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(status(client), 200);
  EXPECT_EQ(origin_->peers.size(), 1U);
  EXPECT_EQ(count(Counter::kTlsHandshakes), 1U);
  EXPECT_EQ(count(Counter::kTlsOriginHandshakes), 1U);
  EXPECT_EQ(count(Counter::kHttpOriginReused), 4U);
}

TEST_F(StageSecurity, ASecuredOriginConnectionIsForItsHostOnly) {
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(status(client, "two.example.com"), 200);
  EXPECT_EQ(origin_->peers.size(), 2U);
  Peer& plain = connect(80);
  EXPECT_EQ(status(plain), 200);
  EXPECT_EQ(last_origin_->local.port, 80);
}

TEST_F(StageSecurity, ASecondConnectionResumesItsSession) {
  EXPECT_EQ(status(connect_tls()), 200);
  Peer& again = connect_tls();
  EXPECT_EQ(status(again), 200);
  EXPECT_TRUE(client_->transport.security(again.id)->info().resumed);
  EXPECT_EQ(count(Counter::kTlsHandshakes), 2U);
  EXPECT_EQ(count(Counter::kTlsResumed), 1U);
}

TEST_F(StageSecurity, ATargetMayNameTheSchemeThatIsSpoken) {
  Peer& client = connect_tls();
  send(client, "GET https://ONE.example.com/a?b HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET /a?b HTTP/1.1\r\nHost: one.example.com\r\n"));
  send(origin(0), ok("answer"));
  ASSERT_TRUE(receives(client, "answer"));
  EXPECT_EQ(client.received.substr(0, 13), "HTTP/1.1 200 ");
  client.received.clear();
  send(client, "GET http://one.example.com/ HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  EXPECT_TRUE(receives(client, "HTTP/1.1 400 "));
}

// ---- the zone's mode ----

struct ModeCase {
  SslMode mode;
  std::uint16_t client_port;
  int status;
  std::uint16_t origin_port;  // 0: none was asked
};

class StageSecurityModes : public SecureFixture, public ::testing::WithParamInterface<ModeCase> {};

TEST_P(StageSecurityModes, DecidesHowTheOriginIsSpokenTo) {
  const ModeCase& c = GetParam();
  serve({.ssl = c.mode});
  origin_->secure_port = c.client_port == 8443 ? 8443 : 443;
  Peer& client = c.client_port == 80 ? connect(80) : connect_tls("one.example.com", c.client_port);
  EXPECT_EQ(status(client), c.status) << client.received;
  if (c.origin_port == 0) {
    EXPECT_TRUE(origin_->peers.empty());
    return;
  }
  ASSERT_NE(last_origin_, nullptr);
  EXPECT_EQ(last_origin_->local.port, c.origin_port);
  EXPECT_EQ(count(Counter::kTlsOriginHandshakes), c.origin_port == 80 ? 0U : 1U);
  const bool secure_client = c.client_port != 80;
  EXPECT_NE(requests_.back().find(secure_client ? "X-Forwarded-Proto: https\r\n"
                                                : "X-Forwarded-Proto: http\r\n"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, StageSecurityModes,
                         ::testing::Values(ModeCase{SslMode::kOff, 80, 200, 80},
                                           ModeCase{SslMode::kOff, 443, 301, 0},
                                           ModeCase{SslMode::kFlexible, 80, 200, 80},
                                           ModeCase{SslMode::kFlexible, 443, 200, 80},
                                           ModeCase{SslMode::kFlexible, 8443, 200, 8443},
                                           ModeCase{SslMode::kFull, 80, 200, 80},
                                           ModeCase{SslMode::kFull, 443, 200, 443},
                                           ModeCase{SslMode::kFull, 8443, 200, 8443},
                                           ModeCase{SslMode::kStrict, 80, 200, 80},
                                           ModeCase{SslMode::kStrict, 443, 200, 443},
                                           ModeCase{SslMode::kOriginPull, 80, 200, 443},
                                           ModeCase{SslMode::kOriginPull, 443, 200, 443}));

TEST_F(StageSecurity, ModeOffSendsClientsToHttp) {
  serve({.ssl = SslMode::kOff});
  Peer& client = connect_tls();
  EXPECT_EQ(status(client, "one.example.com", "/a?b"), 301);
  EXPECT_TRUE(has(client, "\r\nLocation: http://one.example.com/a?b\r\n"));
}

// ---- the origin's certificate ----

TEST_F(StageSecurity, StrictTakesOnlyACertificateThatIsGood) {
  const Certificate bad[] = {
      certificate_of({.names = {"*.example.com"},
                      .issuer = &origin_authority_,
                      .from_seconds = -7200,
                      .to_seconds = -3600}),
      certificate_of({.names = {"*.example.com"},
                      .issuer = &origin_authority_,
                      .from_seconds = 3600,
                      .to_seconds = 7200}),
      certificate_of({.names = {"*.example.com"}}),
      tls::test::leaf(edge_authority_, {"*.example.com"}),
      tls::test::leaf(origin_authority_, {"*.other.net"}),
  };
  std::uint64_t failed = 0;
  for (const SslMode mode : {SslMode::kStrict, SslMode::kOriginPull}) {
    for (const Certificate& certificate : bad) {
      serve({.ssl = mode});
      rebuild_secure();
      show(certificate);
      Peer& client = connect_tls();
      EXPECT_EQ(status(client), 526);
      EXPECT_TRUE(has(client, "\r\ncf-error-type: 526\r\n"));
      EXPECT_EQ(client.received.find("203.0.113."), std::string::npos);
      EXPECT_EQ(count(Counter::kTlsOriginFailed), ++failed);
    }
  }
  EXPECT_EQ(count(Counter::kTlsOriginHandshakes), 0U);
  for (const Certificate& certificate : bad) {
    serve({.ssl = SslMode::kFull});
    rebuild_secure();
    show(certificate);
    EXPECT_EQ(status(connect_tls()), 200) << "full looks at none";
  }
}

TEST_F(StageSecurity, TheNameThatARecordPointsToWillDo) {
  const Certificate certificate = tls::test::leaf(origin_authority_, {"origin.example.org"});
  show(certificate);
  serve({.ssl = SslMode::kStrict});
  EXPECT_EQ(status(connect_tls()), 526);
  serve({.ssl = SslMode::kStrict, .target = "origin.example.org"});
  rebuild_secure();
  EXPECT_EQ(status(connect_tls()), 200);
  EXPECT_EQ(origins_.asked.back(), "one.example.com") << "the name that the client asked for";
}

TEST_F(StageSecurity, ASecondAddressWithAGoodCertificateIsTaken) {
  serve({.ssl = SslMode::kStrict});
  refusing_.insert(ip("203.0.113.1"));
  EXPECT_EQ(status(connect_tls("www.example.com"), "www.example.com"), 200);
}

TEST_F(StageSecurity, AZonesOwnTrustTakesThePlaceOfTheEdges) {
  const Certificate own = tls::test::authority("Own CA");
  const Certificate of_own = tls::test::leaf(own, {"*.example.com"});
  serve({.ssl = SslMode::kStrict, .trust = &own});
  EXPECT_EQ(status(connect_tls()), 526) << "by whom the edge trusts";
  settle(15'000);  // the addresses are not suspect any more
  show(of_own);
  EXPECT_EQ(status(connect_tls()), 200);
  serve({.ssl = SslMode::kStrict});
  settle(15'000);
  EXPECT_EQ(status(connect_tls()), 526) << "no connection or session of before is used";
}

TEST_F(StageSecurity, AnOriginIsShownTheOperatorsCertificateWhereTheZoneHasNone) {
  const Certificate own =
      certificate_of({.common_name = "operator", .issuer = &edge_authority_, .for_clients = true});
  const Certificate zones =
      certificate_of({.common_name = "zone", .issuer = &edge_authority_, .for_clients = true});
  operator_ = {{own.der().begin(), own.der().end()},
               {own.private_key().begin(), own.private_key().end()}};
  ask_the_edge();
  serve({});
  const auto seen_with = [&](const Served& served) -> std::string {
    serve(served);
    EXPECT_EQ(status(connect_tls()), 200);
    const auto seen = origin_->transport.security(origin_->peers.back()->id)->peer_certificate();
    return seen ? seen->subject : "";
  };
  EXPECT_EQ(seen_with({}), "");
  EXPECT_EQ(seen_with({.flags = route::kOperatorPull}), "CN=operator,O=Example");
  EXPECT_EQ(seen_with({.flags = route::kOperatorPull, .pull = &zones}), "CN=zone,O=Example");
  operator_ = {};
  EXPECT_EQ(status(connect_tls()), 200) << "without one nothing fails";
}

TEST_F(StageSecurity, AnOriginIsShownTheZonesCertificateFromTheNextRequestOn) {
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 200);
  const Certificate shown =
      certificate_of({.common_name = "edge", .issuer = &edge_authority_, .for_clients = true});
  ask_the_edge();
  serve({.pull = &shown});
  EXPECT_EQ(status(client), 200);
  ASSERT_EQ(origin_->peers.size(), 2U) << "the idle connection has shown nothing";
  const auto seen = origin_->transport.security(origin_->peers[1]->id)->peer_certificate();
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->subject, "CN=edge,O=Example");
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(origin_->peers.size(), 2U);
}

// ---- handshakes with origins that fail ----

TEST_F(StageSecurity, AnOriginThatKnowsNoSuchNameIs525) {
  origins_.fallback.reset();
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 525);
  EXPECT_TRUE(has(client, "\r\ncf-error-type: 525\r\n"));
  EXPECT_EQ(count(Counter::kTlsOriginFailed), 1U);
}

TEST_F(StageSecurity, AnOriginThatSpeaksNoTlsIs525) {
  origin_->hosts = nullptr;
  Peer& client = connect_tls();
  send(client, get());
  ASSERT_TRUE(settle_until([&] { return !origin(0).received.empty(); }));
  send(origin(0), "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(receives(client, "</html>"));
  EXPECT_TRUE(has(client, "HTTP/1.1 525 "));
  EXPECT_EQ(count(Counter::kTlsOriginFailed), 1U);
}

TEST_F(StageSecurity, AnOriginThatClosesDuringTheHandshakeIs525) {
  origin_->hosts = nullptr;
  Peer& client = connect_tls();
  send(client, get());
  ASSERT_TRUE(settle_until([&] { return !origin(0).received.empty(); }));
  abort_peer(*origin_, origin(0));
  ASSERT_TRUE(receives(client, "</html>"));
  EXPECT_TRUE(has(client, "HTTP/1.1 525 "));
}

TEST_F(StageSecurity, AnOriginThatIsSilentInTheHandshakeIs525) {
  origin_->hosts = nullptr;
  Peer& client = connect_tls();
  send(client, get());
  ASSERT_TRUE(settle_until([&] { return !origin(0).received.empty(); }));
  pass(seconds(20));
  ASSERT_TRUE(receives(client, "</html>"));
  EXPECT_TRUE(has(client, "HTTP/1.1 525 "));
  EXPECT_EQ(stage_->exchange_count(), 0U);
}

// ---- clients ----

TEST_F(StageSecurity, ANameWithoutACertificateEndsTheHandshake) {
  for (const char* name : {"www.bare.net", "www.nobody.test"}) {
    Peer& client = begin_tls(name);
    EXPECT_FALSE(client.connected) << name;
    ASSERT_TRUE(client.failed) << name;
    EXPECT_EQ(client.alert, 112) << "unrecognized_name";
  }
  settle(5);
  EXPECT_EQ(count(Counter::kTlsUnknownName), 2U);
  EXPECT_EQ(count(Counter::kTlsFailed), 2U);
  EXPECT_EQ(count(Counter::kTlsHandshakes), 0U);
  EXPECT_EQ(stage_->client_count(), 0U);
}

TEST_F(StageSecurity, PlainHttpOnAnHttpsPortFails) {
  Peer& client = connect(443);
  send(client, get());
  ASSERT_TRUE(settle_until([&] { return client.peer_closed || client.closed; }));
  EXPECT_EQ(count(Counter::kTlsFailed), 1U);
  EXPECT_EQ(count(Counter::kHttpRequests), 0U);
  EXPECT_EQ(stage_->client_count(), 0U);
}

TEST_F(StageSecurity, AClientThatSaysNothingIsClosedAfterTheHandshakeTimeout) {
  Peer& client = connect(443);
  pass(StageConfig{}.handshake_timeout - seconds(1));
  EXPECT_FALSE(client.peer_closed || client.closed);
  pass(seconds(2));
  EXPECT_TRUE(client.peer_closed || client.closed);
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(count(Counter::kTlsFailed), 1U);
}

TEST_F(StageSecurity, AClientThatGoesDuringTheHandshakeIsCountedOnce) {
  Peer& client = connect(443);
  abort_peer(*client_, client);
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(count(Counter::kTlsFailed), 1U);
  Peer& other = connect(443);
  client_->stack.close(other.id, now_);
  settle(20);
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(count(Counter::kTlsFailed), 2U);
  EXPECT_EQ(status(connect_tls()), 200);
  EXPECT_EQ(count(Counter::kTlsFailed), 2U);
}

TEST_F(StageSecurity, WithoutTheKeyFileNoHandshakeIsDone) {
  std::filesystem::remove(folder_ + "/key");
  credentials::PrivateKeys none(folder_ + "/key");
  credentials::Credentials without(*edge_engine_, none, counters_);
  StageConfig config;
  config.https_ports = kHttpsPorts;
  config.credentials = &without;
  rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  EXPECT_TRUE(begin_tls("one.example.com").failed);
  settle(5);
  EXPECT_EQ(count(Counter::kTlsKeysRefused), 1U);
  EXPECT_EQ(count(Counter::kTlsFailed), 1U);
  write_key_file();
  ASSERT_TRUE(none.load().value());
  EXPECT_TRUE(begin_tls("one.example.com").connected);
  stage_.reset();
}

TEST_F(StageSecurity, AHostOfAnotherZoneIsMisdirected) {
  Peer& client = connect_tls("www.example.com");
  EXPECT_EQ(status(client, "one.example.com"), 200) << "the same zone";
  EXPECT_EQ(status(client, "one.other.net"), 421);
  EXPECT_TRUE(has(client, "\r\ncf-error-type: 1013\r\n"));
  EXPECT_EQ(status(client, "two.example.com"), 200) << "the connection goes on";
  EXPECT_EQ(requests_.size(), 2U);
}

// Its zone has keys and settings of its own, and may be another's.
TEST_F(StageSecurity, AHostOfTheZoneAboveIsMisdirected) {
  Peer& client = connect_tls("child.example.com");
  EXPECT_EQ(status(client, "www.child.example.com"), 200) << "the same zone";
  EXPECT_EQ(status(client, "one.example.com"), 421);
  Peer& above = connect_tls("one.example.com");
  EXPECT_EQ(status(above, "one.child.example.com"), 421);
}

TEST_F(StageSecurity, ANetworkThatBeginsTooManyHandshakesIsReset) {
  HandshakeLimit limit({.per_second = 1, .burst = 2}, {.lines = 16});
  StageConfig config;
  config.handshakes = &limit;
  rebuild_secure(config);
  EXPECT_TRUE(begin_tls("one.example.com").connected);
  EXPECT_TRUE(begin_tls("one.example.com").connected) << "resumes, and gives most of it back";
  EXPECT_FALSE(begin_tls("two.example.com").connected);
  EXPECT_EQ(count(Counter::kTlsLimited), 1U);
  EXPECT_EQ(count(Counter::kTlsHandshakes), 2U);
  EXPECT_EQ(count(Counter::kTlsFailed), 0U);
  settle(3000);
  EXPECT_TRUE(begin_tls("two.example.com").connected) << "some seconds later";
  stage_.reset();
}

TEST_F(StageSecurity, ACertificateIsReplacedWhileConnectionsLive) {
  Peer& old_one = connect_tls();
  EXPECT_EQ(status(old_one), 200);
  const auto fingerprint = [&](Peer& client) {
    return client_->transport.security(client.id)->peer_certificate()->sha256;
  };
  const Certificate renewed = tls::test::leaf(edge_authority_, {"one.example.com"});
  serve({.certificate = &renewed});
  EXPECT_EQ(status(old_one), 200) << "with what it began with";
  verify_ = false;  // other settings: no session is resumed
  Peer& new_one = connect_tls();
  EXPECT_NE(fingerprint(new_one), fingerprint(old_one));
  EXPECT_EQ(status(new_one), 200);
}

// ---- what the zone asks of clients ----

TEST_F(StageSecurity, HttpIsSentToHttpsWhereTheZoneSaysAlways) {
  serve({.flags = route::kAlwaysUseHttps});
  Peer& client = connect(80);
  EXPECT_EQ(status(client, "one.example.com", "/a?b=c"), 301);
  EXPECT_TRUE(has(client, "\r\nLocation: https://one.example.com/a?b=c\r\n"));
  EXPECT_EQ(count(Counter::kHttpsRedirects), 1U);
  EXPECT_EQ(status(client, "one.example.com", "/.well-known/acme-challenge/token"), 200);
  EXPECT_EQ(status(connect_tls()), 200);
  EXPECT_EQ(count(Counter::kHttpsRedirects), 1U);
}

TEST_F(StageSecurity, StrictTransportSecurityIsSaidUnderTlsOnly) {
  serve({.flags = route::kHsts | route::kHstsSubdomains | route::kNosniff,
         .hsts_max_age_s = 15552000});
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 200);
  EXPECT_TRUE(
      has(client, "\r\nStrict-Transport-Security: max-age=15552000; includeSubDomains\r\n"));
  EXPECT_TRUE(has(client, "\r\nX-Content-Type-Options: nosniff\r\n"));
  Peer& plain = connect(80);
  EXPECT_EQ(status(plain), 200);
  EXPECT_FALSE(has(plain, "Strict-Transport-Security"));
  EXPECT_TRUE(has(plain, "\r\nX-Content-Type-Options: nosniff\r\n"));
  Peer& own = connect_tls();
  EXPECT_EQ(status(own, "one.example.com", "/cdn-cgi/none"), 404);
  EXPECT_TRUE(has(own, "\r\nStrict-Transport-Security: max-age=15552000; includeSubDomains\r\n"));
}

TEST_F(StageSecurity, TheTraceSaysHowTheClientCame) {
  Peer& client = connect_tls();
  EXPECT_EQ(status(client, "one.example.com", "/cdn-cgi/trace"), 200);
  for (const char* line : {"\nh=one.example.com\n", "\nvisit_scheme=https\n", "\ntls=TLSv1.3\n",
                           "\nsni=plaintext\n"}) {
    EXPECT_TRUE(has(client, line)) << line << client.received;
  }
  Peer& plain = connect(80);
  EXPECT_EQ(status(plain, "one.example.com", "/cdn-cgi/trace"), 200);
  for (const char* line : {"\nvisit_scheme=http\n", "\ntls=off\n", "\nsni=off\n"}) {
    EXPECT_TRUE(has(plain, line)) << line << plain.received;
  }
}

// ---- bodies and ends ----

TEST_F(StageSecurity, BodiesPassWholeBothWays) {
  const std::string up = pattern(3'000'000), down = pattern(5'000'000);
  Peer& client = connect_tls();
  send(client, "PUT /up HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: " +
                   std::to_string(up.size()) + "\r\n\r\n" + up);
  ASSERT_TRUE(settle_until(
      [&] { return !origin_->peers.empty() && body_of(origin(0).received).size() == up.size(); },
      60'000));
  EXPECT_TRUE(body_of(origin(0).received) == up);
  send(origin(0), ok(down));
  ASSERT_TRUE(settle_until([&] { return body_of(client.received).size() == down.size(); }, 60'000));
  EXPECT_TRUE(body_of(client.received) == down);
}

TEST_F(StageSecurity, BodiesPassWholeWithAWireThatLoses) {
  const std::string down = pattern(400'000);
  Peer& client = connect_tls();
  loss_percent_ = 5;
  send(client, get());
  ASSERT_TRUE(settle_until(
      [&] { return !origin_->peers.empty() && origin(0).received.ends_with("\r\n\r\n"); }, 60'000));
  send(origin(0), ok(down));
  ASSERT_TRUE(
      settle_until([&] { return body_of(client.received).size() == down.size(); }, 120'000));
  EXPECT_TRUE(body_of(client.received) == down);
}

TEST_F(StageSecurity, AResponseThatTheOriginsTlsDidNotEndIsCutShort) {
  Peer& client = connect_tls();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
  send(origin(0), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart of it");
  ASSERT_TRUE(receives(client, "part of it"));
  origin_->stack.close(origin(0).id, now_);  // a FIN without close_notify
  ASSERT_TRUE(settle_until([&] { return client.peer_closed || client.closed; }));
  EXPECT_FALSE(has(client, "0\r\n\r\n")) << "no last chunk";
  EXPECT_EQ(count(Counter::kHttpTruncated), 1U);
}

TEST_F(StageSecurity, AResponseThatTheOriginsTlsEndedIsWhole) {
  Peer& client = connect_tls();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
  send(origin(0), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
  origin(0).close_when_sent = true;
  ASSERT_TRUE(receives(client, "0\r\n\r\n"));
  EXPECT_EQ(count(Counter::kHttpTruncated), 0U);
}

TEST_F(StageSecurity, AnAnswerThatEndsTheConnectionEndsItsTlsToo) {
  Peer& client = connect_tls();
  send(client, get("/", "Connection: close\r\n"));
  ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
  send(origin(0), ok("bye"));
  ASSERT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_FALSE(client.truncated);
  EXPECT_EQ(body_of(client.received), "bye");
}

}  // namespace
}  // namespace brink::l7::proxy::testing
