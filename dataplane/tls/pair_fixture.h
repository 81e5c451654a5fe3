// Two ends of a connection in memory: our streams, or one of them and the library itself.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/tls/certificates_fixture.h"
#include "dataplane/tls/engine.h"

namespace brink::tls::test {

inline std::unique_ptr<Engine> make_engine(const EngineConfig& config = {}) {
  auto engine = Engine::create(config);
  CHECK(engine.ok());
  return std::move(engine).value();
}

// Hosts by name; "" is the default, as is what no name is found for if `fallback` is set.
class Hosts final : public CertificateSource {
 public:
  const HostSettings* find(std::string_view name, std::uint64_t user) noexcept override {
    asked.emplace_back(name);
    last_user = user;
    const auto found = hosts.find(std::string(name));
    if (found != hosts.end()) return &found->second;
    return fallback ? &*fallback : nullptr;
  }

  std::map<std::string, HostSettings> hosts;
  std::optional<HostSettings> fallback;
  std::vector<std::string> asked;
  std::uint64_t last_user = 0;
};

// A stream with the bytes on their way to it, and its calls on pieces of given sizes.
struct End {
  Stream stream;
  Bytes in;                  // not taken yet
  Bytes* peer_in = nullptr;  // where its output goes
  std::size_t in_piece = SIZE_MAX, out_room = 64 * 1024;

  template <typename Call>
  auto call(Call&& function) {
    Bytes room(out_room);
    Wire wire{std::span(in).first(std::min(in.size(), in_piece)), room};
    const std::size_t given = wire.in.size();
    const auto result = function(wire);
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(given - wire.in.size()));
    peer_in->insert(peer_in->end(), room.begin(),
                    room.begin() + static_cast<std::ptrdiff_t>(room.size() - wire.out.size()));
    CHECK(ERR_peek_error() == 0);
    return result;
  }

  Status advance() {
    return call([this](Wire& wire) { return stream.advance(wire); });
  }
  Status close() {
    return call([this](Wire& wire) { return stream.close(wire); });
  }
  Moved write(std::span<const std::uint8_t> plain) {
    return call([&](Wire& wire) { return stream.write(plain, wire); });
  }
  Moved write(std::string_view text) {
    return write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  Moved read(std::span<std::uint8_t> plain) {
    return call([&](Wire& wire) { return stream.read(plain, wire); });
  }
  // All that can be read now.
  std::string read_all(Status* status = nullptr) {
    std::string text;
    Moved moved;
    do {
      std::uint8_t plain[4096];
      moved = read(plain);
      text.append(reinterpret_cast<const char*>(plain), moved.size);
    } while (moved.status == Status::kDone);
    if (status != nullptr) *status = moved.status;
    return text;
  }
};

struct Pair {
  End client, server;

  Pair() {
    client.peer_in = &server.in;
    server.peer_in = &client.in;
  }
  Pair(const Pair&) = delete;

  // Both advance until neither gets anywhere: both are done, or one has failed.
  void shake() {
    for (int turn = 0; turn < 200'000; ++turn) {
      const Status c = client.advance();
      const Status s = server.advance();
      const bool moved = !client.in.empty() || !server.in.empty();
      const bool c_rests = c == Status::kDone || c == Status::kFailed;
      const bool s_rests = s == Status::kDone || s == Status::kFailed;
      if (c_rests && s_rests) return;
      if (!moved && (c == Status::kFailed || s == Status::kFailed)) return;
    }
  }
  [[nodiscard]] bool established() const {
    return client.stream.established() && server.stream.established();
  }
};

// The library as a client, with two memory BIOs: for what our client stream does not do.
class RawClient {
 public:
  explicit RawClient(SSL_SESSION* resumed_one = nullptr)
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(
        context_.get(), +[](SSL* of, SSL_SESSION* given) {
          auto* self = static_cast<RawClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
          self->session.reset(given);
          return 1;
        });
    ssl.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl.get());
    if (resumed_one == nullptr) return;
    // A copy: the library resumes a TLS 1.3 session once.
    const SessionPtr copy(SSL_SESSION_dup(resumed_one));
    SSL_set_session(ssl.get(), copy.get());
    SSL_set_max_proto_version(ssl.get(), SSL_SESSION_get_protocol_version(resumed_one));
  }
  ~RawClient() { SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

  void name(const char* host) { SSL_set_tlsext_host_name(ssl.get(), host); }

  // Moves bytes both ways and both on, until nothing moves.
  void talk(End& server) {
    Bytes to_us;
    server.peer_in = &to_us;
    for (bool moved = true; moved;) {
      if (!SSL_is_init_finished(ssl.get())) SSL_do_handshake(ssl.get());
      std::uint8_t byte;
      if (SSL_is_init_finished(ssl.get())) SSL_peek(ssl.get(), &byte, 1);
      ERR_clear_error();
      std::uint8_t bytes[16384];
      int size;
      moved = false;
      while ((size = BIO_read(SSL_get_wbio(ssl.get()), bytes, sizeof bytes)) > 0) {
        server.in.insert(server.in.end(), bytes, bytes + size);
        moved = true;
      }
      std::uint8_t plain[4096];
      const Moved read = server.stream.failure() == Failure::kNone ? server.read(plain) : Moved{};
      received.append(reinterpret_cast<const char*>(plain), read.size);
      moved |= read.size > 0;
      if (!to_us.empty()) {
        BIO_write(SSL_get_rbio(ssl.get()), to_us.data(), static_cast<int>(to_us.size()));
        to_us.clear();
        moved = true;
      }
    }
  }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl.get()) == 1; }

 private:
  SslContextPtr context_;

 public:
  SslPtr ssl;
  SessionPtr session;    // the newest ticket
  std::string received;  // by the server
};

}  // namespace brink::tls::test
