// Heap bytes of what a worker's TLS keeps: an Engine, a host, a connection in each of its states.
// Counted where the library asks for memory, as glibc hands it out; one line a figure.
#include <malloc.h>
#include <openssl/crypto.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/tls/certificates_fixture.h"
#include "dataplane/tls/engine.h"

namespace brink::tls {
namespace {

constexpr std::size_t kConnections = 200;
constexpr std::size_t kHosts = 200;

std::size_t live_bytes = 0;

void* counted(void* memory) {
  if (memory != nullptr) live_bytes += malloc_usable_size(memory);
  return memory;
}
void* take(std::size_t size, const char*, int) {
  return counted(std::malloc(size));
}
void give(void* memory, const char*, int) {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void* resize(void* memory, std::size_t size, const char*, int) {
  live_bytes -= malloc_usable_size(memory);
  return counted(std::realloc(memory, size));
}

void print(const char* what, std::size_t bytes, std::size_t count = 1) {
  std::printf("%-52s %7zu bytes\n", what, bytes / count);
}

class Host final : public CertificateSource {
 public:
  explicit Host(const test::Certificate& certificate) : bytes_(certificate.bytes()) {
    settings.key = {1, 1};
    settings.certificates = {&bytes_, 1};
  }
  const HostSettings* find(std::string_view, std::uint64_t) noexcept override { return &settings; }

  HostSettings settings;

 private:
  CertificateBytes bytes_;
};

std::unique_ptr<Engine> make_engine() {
  auto made = Engine::create({});
  CHECK(made.ok());
  return std::move(made).value();
}

struct Connection {
  Stream client, server;
};

void shake(Connection& c) {
  static std::array<std::uint8_t, 32 * 1024> to_client, to_server;
  Wire up{{}, to_server}, down{{}, to_client};
  std::uint8_t plain[64];
  const std::uint8_t request[40] = {};
  const auto client_turn = [&](auto&& act) {
    up.out = to_server;
    up.in = {to_client.data(), to_client.size() - down.out.size()};
    act();
  };
  const auto server_turn = [&](auto&& act) {
    down.out = to_client;
    down.in = {to_server.data(), to_server.size() - up.out.size()};
    act();
  };
  while (!c.client.established() || !c.server.established()) {
    client_turn([&] { c.client.advance(up); });
    server_turn([&] { c.server.advance(down); });
  }
  // A request and its response, so that every buffer has been in use.
  client_turn([&] {
    c.client.read(plain, up);
    CHECK(c.client.write(request, up).status == Status::kDone);
  });
  server_turn([&] {
    CHECK(c.server.read(plain, down).size == sizeof request);
    CHECK(c.server.write(request, down).status == Status::kDone);
  });
  client_turn([&] { CHECK(c.client.read(plain, up).size == sizeof request); });
}

void measure_connections(Version version, const char* busy, const char* resting, const char* client,
                         const test::Certificate& certificate) {
  const auto server = make_engine(), origin = make_engine();
  Host host(certificate);
  host.settings.max_version = version;
  std::deque<Connection> all(kConnections);
  const auto run = [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      CHECK(server->accept(all[i].server, host, 0) == Failure::kNone);
      CHECK(origin->connect(all[i].client,
                            {.origin = 1, .server_name = "www.example.com", .verify = false}) ==
            Failure::kNone);
      shake(all[i]);
    }
  };
  run(0, 10);  // fills what is kept once
  const std::size_t before = live_bytes;
  run(10, kConnections - 10);
  const std::size_t both = live_bytes - before;
  for (std::size_t i = 10; i < kConnections; ++i) all[i].client.rest();
  const std::size_t after_client = live_bytes - before;
  for (std::size_t i = 10; i < kConnections; ++i) all[i].server.rest();
  const std::size_t rested = live_bytes - before;
  for (std::size_t i = 10; i < kConnections; ++i) all[i].client.reset();
  const std::size_t servers = live_bytes - before;
  constexpr std::size_t count = kConnections - 10;
  print(busy, servers + (after_client - rested), count);
  print(resting, servers, count);
  print(client, rested - servers, count);
  static_cast<void>(both);
}

void measure_hosts(const test::Certificate& certificate, const char* what) {
  const auto engine = make_engine();
  Host host(certificate);
  CHECK(engine->prepare(host.settings).ok());
  const std::size_t before = live_bytes;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < kHosts; ++i) {
    host.settings.key = {i + 2, 1};
    CHECK(engine->prepare(host.settings).ok());
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  print(what, live_bytes - before, kHosts);
  std::printf("%-52s %7.0f us\n", "  making it", took.count() / kHosts);
}

int run() {
  CHECK(CRYPTO_set_mem_functions(take, resize, give) == 1);
  const test::Certificate root = test::authority();
  const test::Certificate ecdsa = test::leaf(root, {"www.example.com"});
  const test::Certificate rsa = test::leaf(root, {"www.example.com"}, test::KeyKind::kRsa);
  make_engine();
  const std::size_t before = live_bytes;
  const auto engine = make_engine();
  print("an Engine", live_bytes - before);
  print("a Stream object, in its owner", sizeof(Stream));
  measure_connections(Version::kTls13, "server stream, TLS 1.3, with buffers",
                      "server stream, TLS 1.3, at rest", "client stream, TLS 1.3, at rest", ecdsa);
  measure_connections(Version::kTls12, "server stream, TLS 1.2, with buffers",
                      "server stream, TLS 1.2, at rest", "client stream, TLS 1.2, at rest", ecdsa);
  measure_hosts(ecdsa, "a host, one ECDSA certificate");
  measure_hosts(rsa, "a host, one RSA-2048 certificate");
  return 0;
}

}  // namespace
}  // namespace brink::tls

int main() {
  return brink::tls::run();
}
