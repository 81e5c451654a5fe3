// Our streams beside the TLS library used plainly (memory BIOs, default library context): whole
// handshakes of both sides (ECDSA P-256, X25519), resumptions, and records of 16 KiB and 1 KiB
// sealed by one side and opened by the other. Bare and ours do the same cryptography; the distance
// is what is around it.
#include <array>
#include <memory>
#include <string>

#include "dataplane/base/check.h"
#include "dataplane/tls/certificates_fixture.h"
#include "dataplane/tls/engine.h"
#include "perf/support/micro.h"

namespace brink::tls {
namespace {

constexpr std::size_t kHandshakes = 1;
constexpr std::size_t kRecords = 64;

struct Material {
  test::Certificate root = test::authority();
  test::Certificate leaf = test::leaf(root, {"www.example.com"});
};

const Material& material() {
  static const Material one;
  return one;
}

// ---- ours ----

class Host final : public CertificateSource {
 public:
  Host() {
    settings_.key = {1, 1};
    settings_.certificates = {&bytes_, 1};
  }
  const HostSettings* find(std::string_view, std::uint64_t) noexcept override { return &settings_; }
  void use(Version version) {
    settings_.max_version = version;
    settings_.key.version = version == Version::kTls12 ? 1 : 2;
  }

 private:
  CertificateBytes bytes_ = material().leaf.bytes();
  HostSettings settings_;
};

struct Ours {
  explicit Ours(Version version) {
    host.use(version);
    EngineConfig config;
    config.origin_trust = material().root.der();
    server_engine = std::move(Engine::create(config)).value();
    client_engine = std::move(Engine::create(config)).value();
  }

  void begin(std::uint64_t origin) {
    CHECK(server_engine->accept(server, host, 0) == Failure::kNone);
    CHECK(client_engine->connect(
              client, {.origin = origin, .server_name = "www.example.com", .verify = false}) ==
          Failure::kNone);
  }
  void shake() {
    Wire up{{}, to_server}, down{{}, to_client};
    while (!client.established() || !server.established()) {
      up.out = to_server;
      up.in = {to_client.data(), to_client.size() - down.out.size()};
      client.advance(up);
      down.out = to_client;
      down.in = {to_server.data(), to_server.size() - up.out.size()};
      server.advance(down);
    }
    // Tickets follow the server's last flight.
    std::uint8_t none[16];
    up.out = to_server;
    up.in = {to_client.data(), to_client.size() - down.out.size()};
    client.read(none, up);
  }
  void end() {
    client.reset();
    server.reset();
  }
  void move(std::span<const std::uint8_t> plain, std::span<std::uint8_t> opened) {
    Wire sealing{{}, to_client};
    CHECK(server.write(plain, sealing).status == Status::kDone);
    Wire opening{{to_client.data(), to_client.size() - sealing.out.size()}, to_server};
    CHECK(client.read(opened.first(plain.size()), opening).size == plain.size());
  }

  Host host;
  std::unique_ptr<Engine> server_engine, client_engine;
  Stream client, server;
  std::array<std::uint8_t, 32 * 1024> to_client, to_server;
};

// ---- bare ----

struct Bare {
  explicit Bare(Version version)
      : server_context(SSL_CTX_new(TLS_server_method())),
        client_context(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* context = server_context.get();
    SSL_CTX_use_certificate(context, material().leaf.x509());
    SSL_CTX_use_PrivateKey(context, material().leaf.key());
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
    SSL_CTX_set1_groups_list(client_context.get(), "X25519:P-256:P-384");
    SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256");
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_ciphersuites(client_context.get(), "TLS_AES_128_GCM_SHA256");
    // The client offers both versions, as ours does.
    SSL_CTX_set_max_proto_version(context,
                                  version == Version::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(client_context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(client_context.get(), this);
    SSL_CTX_sess_set_new_cb(
        client_context.get(), +[](SSL* of, SSL_SESSION* given) {
          static_cast<Bare*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)))->session.reset(given);
          return 1;
        });
  }

  static SSL* make(SSL_CTX* context) {
    SSL* ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
  }
  void begin(bool resume) {
    server.reset(make(server_context.get()));
    client.reset(make(client_context.get()));
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    SSL_set_tlsext_host_name(client.get(), "www.example.com");
    if (resume && session) SSL_set_session(client.get(), session.get());
  }
  void carry(SSL* from, SSL* to) {
    const int size = BIO_read(SSL_get_wbio(from), buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) BIO_write(SSL_get_rbio(to), buffer.data(), size);
  }
  void shake() {
    while (!SSL_is_init_finished(client.get()) || !SSL_is_init_finished(server.get())) {
      SSL_do_handshake(client.get());
      carry(client.get(), server.get());
      SSL_do_handshake(server.get());
      carry(server.get(), client.get());
    }
    std::uint8_t none[16];
    SSL_read(client.get(), none, sizeof none);
    ERR_clear_error();
  }
  void end() {
    for (SSL* ssl : {client.get(), server.get()}) {
      SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    client.reset();
    server.reset();
  }
  void move(std::span<const std::uint8_t> plain, std::span<std::uint8_t> opened) {
    CHECK(SSL_write(server.get(), plain.data(), static_cast<int>(plain.size())) > 0);
    carry(server.get(), client.get());
    CHECK(SSL_read(client.get(), opened.data(), static_cast<int>(plain.size())) ==
          static_cast<int>(plain.size()));
  }

  SslContextPtr server_context, client_context;
  SslPtr server, client;
  SessionPtr session;
  std::array<std::uint8_t, 32 * 1024> buffer;
};

// ---- what is measured ----

int add_handshake(const std::string& name, Version version, bool resume) {
  perf::add_micro("tls/" + name + "/bare", [version, resume]() -> perf::Batch {
    return [resume, bare = std::make_shared<Bare>(version)] {
      for (std::size_t i = 0; i < kHandshakes; ++i) {
        bare->begin(resume);
        bare->shake();
        bare->end();
      }
      return kHandshakes;
    };
  });
  return perf::add_micro("tls/" + name + "/stream", [version, resume]() -> perf::Batch {
    return [resume, ours = std::make_shared<Ours>(version), origin = std::uint64_t{0}]() mutable {
      for (std::size_t i = 0; i < kHandshakes; ++i) {
        ours->begin(resume ? 0 : ++origin);
        ours->shake();
        ours->end();
      }
      return kHandshakes;
    };
  });
}

template <typename Ends>
perf::Batch records(std::size_t size, auto begin) {
  auto ends = std::make_shared<Ends>(Version::kTls13);
  begin(*ends);
  ends->shake();
  struct Buffers {
    std::array<std::uint8_t, 16384> plain{}, opened{};
  };
  return [ends, size, buffers = std::make_shared<Buffers>()] {
    for (std::size_t i = 0; i < kRecords; ++i) {
      ends->move({buffers->plain.data(), size}, buffers->opened);
    }
    return kRecords;
  };
}

int add_records(const std::string& name, std::size_t size) {
  perf::add_micro("tls/" + name + "/bare",
                  [size] { return records<Bare>(size, [](Bare& bare) { bare.begin(false); }); });
  return perf::add_micro("tls/" + name + "/stream",
                         [size] { return records<Ours>(size, [](Ours& ours) { ours.begin(0); }); });
}

const int registered = add_handshake("handshake13", Version::kTls13, false) +
                       add_handshake("handshake12", Version::kTls12, false) +
                       add_handshake("resumption13", Version::kTls13, true) +
                       add_handshake("resumption12", Version::kTls12, true) +
                       add_records("record16k", 16384) + add_records("record1k", 1024);

}  // namespace
}  // namespace brink::tls
