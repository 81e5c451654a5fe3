// TLS on both sides of the stage: clients and origins are real TLS ends with certificates made
// here, and what the edge shows comes sealed out of the image.
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <list>

#include "dataplane/secret/sealed_box.h"
#include "dataplane/tls/pair_fixture.h"
#include "l7/proxy/stage_test_world.h"
#include "l7/render/tls_blob.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;
using route::SslMode;
using tls::test::Certificate;

constexpr std::uint16_t kHttpsPorts[] = {443, 8443};
constexpr tls::Alpn kHttp11[] = {tls::Alpn::kHttp11};

std::string pattern(std::size_t size) {
  std::minstd_rand random(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

Certificate certificate_of(tls::test::Request request) {
  return Certificate(request);
}

// What an image says beside its names.
struct Served {
  SslMode ssl = SslMode::kFull;
  std::uint32_t flags = 0;  // beside the defaults
  std::uint32_t hsts_max_age_s = 0;
  const Certificate* certificate = nullptr;  // null: none
  const Certificate* pull = nullptr;         // shown to origins
  std::string target = {};                   // that one.example.com is an alias of
};

// The edge has a certificate of an authority that clients trust; origins are whatever `origins`
// shows on port 443, and trusted where `origin_authority_` signed it.
class SecureFixture : public StageFixture {
 protected:
  SecureFixture() {
    char folder[] = "/tmp/brink-stage-XXXXXX";
    folder_ = ::mkdtemp(folder);
    write_key_file();
    client_engine_ = tls::test::make_engine();
    origin_engine_ = tls::test::make_engine();
    tls::EngineConfig edge;
    edge.origin_trust = origin_authority_.der();
    edge_engine_ = tls::test::make_engine(edge);
    keys_ = std::make_unique<credentials::PrivateKeys>(folder_ + "/key");
    EXPECT_TRUE(keys_->load().value());
    credentials_ = std::make_unique<credentials::Credentials>(*edge_engine_, *keys_, counters_);
    show(origin_certificate_);
    serve({});
    rebuild_secure();
  }
  ~SecureFixture() override {
    // Streams end before their engines, and the stage before its credentials.
    stage_.reset();
    transport_.reset();
    client_.reset();
    origin_.reset();
    std::filesystem::remove_all(folder_);
  }

  void rebuild_secure(StageConfig config = {}) {
    config.https_ports = kHttpsPorts;
    config.credentials = credentials_.get();
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
    origin_->hosts = &origins_;
  }

  void write_key_file() {
    std::ofstream(folder_ + "/key") << std::string(64, '1') << "\n";
    ::chmod((folder_ + "/key").c_str(), 0600);
  }

  // Origins show it to whoever asks, and ask for nothing.
  void show(const Certificate& certificate) {
    origin_bytes_ = {certificate.bytes()};
    tls::HostSettings settings;
    settings.key = {++next_key_, 1};
    settings.certificates = origin_bytes_;
    settings.protocols = kHttp11;
    origins_.fallback = settings;
  }

  // ---- the image ----
  static secret::SealedBox box() {
    secret::Key key;
    key.bytes.fill(0x11);
    return {key, [](std::span<std::uint8_t> out) {
              for (auto& octet : out) octet = 9;
            }};
  }
  static route::EntryId put_certificate(snapshot::Builder& builder, const Certificate& certificate,
                                        std::uint8_t number) {
    const std::string context = "certificate " + std::to_string(number);
    const Bytes sealed = box().seal(certificate.private_key_pem(), context);
    render::CertificateSpec spec;
    spec.id[0] = number;
    spec.not_after_s = INT64_MAX;
    spec.chain_count = 1;
    spec.chain = certificate.der();
    spec.sealed_key = sealed;
    spec.key_context = context;
    put(builder, route::key_of(route::TableGroup::kCertificate, spec.id),
        render::render_certificate(spec));
    return spec.id;
  }
  static void put(snapshot::Builder& builder, const route::TableKey& key, const Bytes& value) {
    EXPECT_TRUE(builder.put_value(key.octets(), value).ok());
  }
  static void put_name(snapshot::Builder& builder, const std::string& zone, const std::string& name,
                       const std::vector<base::IpAddress>& origins, const std::string& target) {
    render::RouteSpec spec;
    spec.zone_name = zone;
    spec.target_name = target;
    spec.origins = origins;
    const snapshot::Rrset address{1, address_blob()};
    const Bytes route = render::render_route(spec);
    const snapshot::NameContents contents{std::span(&address, 1), route, false, false};
    EXPECT_TRUE(builder.put_name(test::wire_name(name), contents).ok());
  }
  // example.com and other.net under one certificate; bare.net has none.
  void serve(const Served& served) {
    snapshot::Builder builder{base::HashKey{}};
    for (const std::string zone : {"example.com", "other.net", "bare.net"}) {
      EXPECT_TRUE(builder.put_zone(test::wire_name(zone), {1, address_blob()}).ok());
      EXPECT_TRUE(builder.put_name(test::wire_name(zone), {}).ok());
      route::SettingsLayout settings;
      settings.ssl = served.ssl;
      settings.flags |= served.flags;
      settings.hsts_max_age_s = served.hsts_max_age_s;
      using route::TableGroup;
      using route::TableKey;
      put(builder, TableKey(TableGroup::kSettings), render::render_settings(settings));
      if (zone != "bare.net") {
        const Certificate& shown = served.certificate ? *served.certificate : edge_certificate_;
        render::HostSpec host;
        host.certificates = {
            {put_certificate(builder, shown, 1), INT64_MAX, route::KeyKind::kEcdsa}};
        put(builder, TableKey(TableGroup::kHost), render::render_host(host));
      }
      if (served.pull != nullptr) {
        put(builder, TableKey(TableGroup::kOriginPull),
            render::render_origin_pull(true, put_certificate(builder, *served.pull, 2)));
      }
      put_name(builder, zone, "www." + zone, {ip("203.0.113.1"), ip("203.0.113.2")}, "");
      put_name(builder, zone, "one." + zone, {ip("203.0.113.1")}, served.target);
      put_name(builder, zone, "two." + zone, {ip("203.0.113.1")}, "");
    }
    auto image = builder.finish(++version_, 0);
    ASSERT_TRUE(image.ok());
    image_.emplace(std::move(image.value()));
  }

  // ---- clients ----
  // A client that trusts the edge's authority and asks for `name`.
  struct Asks {
    std::string name;
    std::string_view accepted[1];
    tls::OriginSettings settings;
  };
  Peer& begin_tls(const std::string& name, std::uint16_t port = 443) {
    Asks& asks = asked_.emplace_back();
    asks.name = name;
    asks.accepted[0] = asks.name;
    asks.settings.origin = 1;
    asks.settings.server_name = asks.name;
    asks.settings.accepted_names = asks.accepted;
    asks.settings.trust = {{1, 1}, edge_authority_.der()};
    asks.settings.protocols = kHttp11;
    asks.settings.verify = verify_;
    const base::Endpoint local{ip("198.51.100.7"),
                               static_cast<std::uint16_t>(40000 + next_port_++)};
    Peer& peer = client_->open(local, {ip("192.0.2.1"), port}, now_);
    peer.secure = &asks.settings;
    settle_until([&] { return peer.connected || peer.failed || peer.closed; }, 3000);
    return peer;
  }
  Peer& connect_tls(const std::string& name = "one.example.com", std::uint16_t port = 443) {
    Peer& peer = begin_tls(name, port);
    EXPECT_TRUE(peer.connected) << tls::name_of(peer.failure);
    return peer;
  }
  // The status of the answer to a GET, whatever the origin says meanwhile.
  int status(Peer& client, const std::string& host = "one.example.com",
             const std::string& path = "/") {
    const std::size_t before = origin_->peers.size(), from = client.received.size();
    send(client, get(path, "", host));
    settle_until(
        [&] {
          for (std::size_t i = 0; i < origin_->peers.size(); ++i) {
            Peer& o = *origin_->peers[i];
            if (!o.received.ends_with("\r\n\r\n") || o.failed) continue;
            if (i >= before) last_origin_ = &o;
            requests_.push_back(o.received);
            o.received.clear();
            send(o, ok("answer"));
          }
          return client.received.find("\r\n\r\n", from) != std::string::npos;
        },
        30'000);
    settle(5);
    return client.received.size() < from + 12 ? 0 : std::stoi(client.received.substr(from + 9, 3));
  }
  bool has(const Peer& peer, const std::string& text) const {
    return peer.received.find(text) != std::string::npos;
  }

  std::string folder_;
  Certificate edge_authority_ = tls::test::authority("Edge CA");
  Certificate edge_certificate_ =
      tls::test::leaf(edge_authority_, {"*.example.com", "*.other.net"});
  Certificate origin_authority_ = tls::test::authority("Origin CA");
  Certificate origin_certificate_ = tls::test::leaf(origin_authority_, {"*.example.com"});
  std::unique_ptr<credentials::PrivateKeys> keys_;
  std::unique_ptr<credentials::Credentials> credentials_;
  tls::test::Hosts origins_;
  std::vector<tls::CertificateBytes> origin_bytes_;
  std::uint64_t next_key_ = 0;
  std::uint64_t version_ = 0;
  std::list<Asks> asked_;
  bool verify_ = true;
  Peer* last_origin_ = nullptr;        // the newest that got a request
  std::vector<std::string> requests_;  // that origins got
};

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

TEST_F(StageSecurity, AnOriginIsShownTheZonesCertificateFromTheNextRequestOn) {
  Peer& client = connect_tls();
  EXPECT_EQ(status(client), 200);
  const Certificate shown =
      certificate_of({.common_name = "edge", .issuer = &edge_authority_, .for_clients = true});
  origins_.fallback->key = {++next_key_, 1};
  origins_.fallback->client_auth = tls::ClientAuth::kOptional;
  origins_.fallback->client_authorities = edge_authority_.der();
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
  pass(seconds(9));
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
