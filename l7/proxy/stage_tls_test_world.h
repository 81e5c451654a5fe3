// A world under TLS: clients and origins are real TLS ends with certificates made here, and what
// the edge shows comes sealed out of the image.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/secret/sealed_box.h"
#include "dataplane/tls/pair_fixture.h"
#include "l7/proxy/stage_test_world.h"
#include "l7/render/tls_blob.h"

namespace brink::l7::proxy::testing {

using ipc::Counter;
using route::SslMode;
using tls::test::Certificate;

inline constexpr std::uint16_t kHttpsPorts[] = {443, 8443};
inline constexpr tls::Alpn kHttp11[] = {tls::Alpn::kHttp11};

// What an image says beside its names.
struct Served {
  SslMode ssl = SslMode::kFull;
  std::uint32_t flags = 0;  // beside the defaults
  std::uint32_t hsts_max_age_s = 0;
  const Certificate* certificate = nullptr;  // null: none
  const Certificate* pull = nullptr;         // shown to origins
  std::string target = {};                   // that one.example.com is an alias of
  const Certificate* clients = nullptr;      // authority of whose certificates "one" and "www" ask
  bool forwards = false;                     // and of which they tell their origins
  const Certificate* trust = nullptr;        // in origins, in place of the edge's own
  std::span<const std::uint8_t> revoked_serial = {};  // of one that it has issued
  Bytes firewall = {}, request = {}, response = {};   // rules by phase
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
    credentials_ = std::make_unique<credentials::Credentials>(*edge_engine_, *keys_, counters_,
                                                              credentials::Service::kHttp1, &operator_);
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

  // From now on origins ask for a certificate that the edge's authority has issued, and take none.
  void ask_the_edge() {
    origins_.fallback->key = {++next_key_, 1};
    origins_.fallback->client_auth = tls::ClientAuth::kOptional;
    origins_.fallback->client_authorities = edge_authority_.der();
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
  static void put_rules(snapshot::Builder& builder, route::RulePhase phase, const Bytes& rules) {
    if (!rules.empty()) put(builder, route::rules_key(phase), rules);
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
  // Hosts "one" and "www" ask their clients for a certificate; they show what the others do.
  void put_authority(snapshot::Builder& builder, const Served& served, const std::string& zone) {
    const route::EntryId id = {7};
    put(builder, route::key_of(route::TableGroup::kAuthority, id),
        render::render_anchors(served.clients->der(), 1));
    if (!served.revoked_serial.empty()) {
      put(builder, route::revoked_key(id, served.revoked_serial), render::render_revoked());
    }
    render::HostSpec host;
    host.certificates = {{route::EntryId{1}, INT64_MAX, route::KeyKind::kEcdsa}};
    host.asks_client = true;
    host.forwards_certificate = served.forwards;
    host.authorities = {id};
    for (const std::string name : {"one.", "www."}) {
      put(builder, route::key_of(route::TableGroup::kHost, name + zone), render::render_host(host));
    }
  }
  // example.com, child.example.com and other.net under one certificate; bare.net has none.
  void serve(const Served& served) {
    snapshot::Builder builder{base::HashKey{}};
    for (const std::string zone : {"example.com", "child.example.com", "other.net", "bare.net"}) {
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
      if (served.clients != nullptr && zone != "bare.net") put_authority(builder, served, zone);
      put_rules(builder, route::RulePhase::kFirewall, served.firewall);
      put_rules(builder, route::RulePhase::kRequest, served.request);
      put_rules(builder, route::RulePhase::kResponse, served.response);
      if (served.trust != nullptr) {
        put(builder, TableKey(TableGroup::kTrustStore),
            render::render_anchors(served.trust->der(), 1));
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
    Bytes chain;
  };
  Peer& begin_tls(const std::string& name, std::uint16_t port = 443) {
    Asks& asks = asked_.emplace_back();
    asks.name = name;
    asks.accepted[0] = asks.name;
    asks.settings.origin = 1;
    asks.settings.server_name = asks.name;
    asks.settings.accepted_names = asks.accepted;
    asks.settings.trust = {{1, 1}, edge_authority_.der()};
    asks.settings.protocols = protocols_;
    asks.settings.verify = verify_;
    if (identity_ != nullptr) {
      asks.chain = identity_->der();
      asks.chain.insert(asks.chain.end(), above_identity_.begin(), above_identity_.end());
      asks.settings.identity = {{identity_number_, 1}, asks.chain, identity_->private_key()};
    }
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
            send(o, answer_);
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
  credentials::OperatorIdentity operator_;
  std::unique_ptr<credentials::Credentials> credentials_;
  tls::test::Hosts origins_;
  std::vector<tls::CertificateBytes> origin_bytes_;
  std::uint64_t next_key_ = 0;
  std::uint64_t version_ = 0;
  std::list<Asks> asked_;
  std::span<const tls::Alpn> protocols_ = kHttp11;  // that clients ask for
  bool verify_ = true;
  const Certificate* identity_ = nullptr;  // what clients show
  Bytes above_identity_;                   // and behind it, DER
  std::uint64_t identity_number_ = 1;      // another for another
  Peer* last_origin_ = nullptr;            // the newest that got a request
  std::string answer_ = ok("answer");      // of origins
  std::vector<std::string> requests_;      // that origins got
};

}  // namespace brink::l7::proxy::testing
