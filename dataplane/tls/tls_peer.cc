// Puts a stream between a kernel socket and standard input or a small answer, for tests against
// other implementations. Serves tests only.
//     tls_peer serve FOLDER         prints its port; answers each connection with what was agreed
//     tls_peer connect PORT NAME MODE [FOLDER]   MODE: full or strict; prints what came of it
// FOLDER holds DER files: NAME.crt, NAME.key and what serve() and connect() name below.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/tls/engine.h"

namespace {

using namespace brink::tls;  // NOLINT
using Bytes = std::vector<std::uint8_t>;

Bytes file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Hosts of a folder: "NAME.crt" and "NAME.key", also "NAME.rsa.crt" and "NAME.rsa.key",
// "NAME.ocsp", "NAME.ca" (client certificates are required) or "NAME.ca-optional", "NAME.tls13".
// "*.x" is what names below x fall back to, "default" what all others do.
class Folder final : public CertificateSource {
 public:
  explicit Folder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const HostSettings* find(std::string_view name, std::uint64_t) noexcept override {
    if (has(std::string(name))) return load(std::string(name));
    const std::size_t dot = name.find('.');
    const std::string wildcard =
        "*" + std::string(dot == std::string_view::npos ? "" : name.substr(dot));
    if (has(wildcard)) return load(wildcard);
    return has("default") ? load("default") : nullptr;
  }

 private:
  struct Loaded {
    std::vector<Bytes> files;
    std::vector<CertificateBytes> certificates;
    HostSettings settings;
  };

  [[nodiscard]] bool has(const std::string& name) const {
    return !name.empty() && std::filesystem::exists(folder_ / (name + ".crt"));
  }
  std::span<const std::uint8_t> keep(Loaded& host, const std::string& name) {
    host.files.push_back(file(folder_ / name));
    return host.files.back();
  }

  const HostSettings* load(const std::string& name) {
    const auto found = loaded_.find(name);
    if (found != loaded_.end()) return &found->second.settings;
    Loaded& host = loaded_[name];
    host.files.reserve(8);
    host.certificates.push_back(
        {keep(host, name + ".crt"), keep(host, name + ".key"), keep(host, name + ".ocsp")});
    if (std::filesystem::exists(folder_ / (name + ".rsa.crt"))) {
      host.certificates.push_back(
          {keep(host, name + ".rsa.crt"), keep(host, name + ".rsa.key"), {}});
    }
    host.settings.key = {loaded_.size(), 1};
    host.settings.certificates = host.certificates;
    host.settings.ciphers = CipherPolicy::kLegacy;
    host.settings.protocols = kProtocols;
    if (std::filesystem::exists(folder_ / (name + ".tls13"))) {
      host.settings.min_version = Version::kTls13;
    }
    host.settings.client_authorities = keep(host, name + ".ca");
    if (!host.settings.client_authorities.empty()) {
      host.settings.client_auth = ClientAuth::kRequired;
    } else if (host.settings.client_authorities = keep(host, name + ".ca-optional");
               !host.settings.client_authorities.empty()) {
      host.settings.client_auth = ClientAuth::kOptional;
    }
    return &host.settings;
  }

  static constexpr Alpn kProtocols[] = {Alpn::kHttp11, Alpn::kDot};
  std::filesystem::path folder_;
  std::map<std::string, Loaded> loaded_;
};

// A blocking socket and the bytes that the stream left.
class Line {
 public:
  explicit Line(int fd) : fd_(fd) {}
  Line(const Line&) = delete;
  ~Line() { ::close(fd_); }

  template <typename Call>
  auto call(Call&& function) {
    std::uint8_t room[kRecordMax];
    Wire wire{in_, room};
    const auto result = function(wire);
    in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(wire.in.size()));
    const std::size_t size = sizeof room - wire.out.size();
    for (std::size_t sent = 0; sent < size;) {
      const ssize_t count = ::send(fd_, room + sent, size - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    return result;
  }
  // False: the peer has ended.
  bool receive() {
    std::uint8_t bytes[4096];
    const ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    in_.insert(in_.end(), bytes, bytes + count);
    return true;
  }

 private:
  int fd_;
  Bytes in_;
};

// What `once` comes to when it is called until it needs no more input or room.
template <typename Once>
Status until(Line& line, Stream& stream, Once once) {
  for (;;) {
    const Status status = line.call(once);
    if (status == Status::kNeedsInput && !line.receive()) stream.end_input();
    if (status != Status::kNeedsInput && status != Status::kNeedsRoom) return status;
  }
}

Status shake(Line& line, Stream& stream) {
  return until(line, stream, [&](Wire& wire) { return stream.advance(wire); });
}

Status read_some(Line& line, Stream& stream, std::string& text) {
  return until(line, stream, [&](Wire& wire) {
    char plain[4096];
    const Moved moved = stream.read({reinterpret_cast<std::uint8_t*>(plain), sizeof plain}, wire);
    text.append(plain, moved.size);
    return moved.size > 0 ? Status::kDone : moved.status;
  });
}

void write_all(Line& line, Stream& stream, std::string_view text) {
  std::span left(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  until(line, stream, [&](Wire& wire) {
    const Moved moved = stream.write(left, wire);
    left = left.subspan(moved.size);
    return moved.status;
  });
  until(line, stream, [&](Wire& wire) { return stream.close(wire); });
}

std::string report(const Stream& stream) {
  const ConnectionInfo info = stream.info();
  std::string text = "established=" + std::to_string(stream.established());
  const auto add = [&text](const char* name, std::string_view value) {
    text += std::string(" ") + name + "=" + std::string(value);
  };
  add("failure", name_of(stream.failure()));
  add("alert", stream.alert() ? std::to_string(*stream.alert()) : "-");
  add("version", name_of(info.version));
  add("cipher", info.cipher_name);
  add("alpn", name_of(info.protocol));
  add("name", info.server_name);
  add("resumed", info.resumed ? "1" : "0");
  add("verification", name_of(info.verification));
  if (const auto peer = stream.peer_certificate()) add("peer", peer->subject);
  return text + "\n";
}

void answer(Engine& engine, Folder& folder, int fd) {
  Line line(fd);
  Stream stream;
  CHECK(engine.accept(stream, folder, 0) == Failure::kNone);
  std::string request;
  if (shake(line, stream) == Status::kDone && read_some(line, stream, request) == Status::kDone) {
    const std::string body = report(stream);
    write_all(line, stream,
              request.starts_with("GET ")
                  ? "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                        "\r\nConnection: close\r\n\r\n" + body
                  : body);
    std::string rest;
    while (read_some(line, stream, rest) == Status::kDone) {
    }
  }
  std::printf("%s", report(stream).c_str());
  std::fflush(stdout);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Two engines with the same ticket keys take turns: a session of one is resumed by the other.
int serve(const std::filesystem::path& path) {
  Folder folder(path);
  TicketKeys keys{};
  keys.current.name = {1};
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  CHECK(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(listener, 16) == 0);
  CHECK(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::unique_ptr<Engine> engines[2];
  for (auto& engine : engines) {
    auto made = Engine::create({});
    CHECK(made.ok());
    engine = std::move(made).value();
    engine->set_ticket_keys(keys);
  }
  std::printf("port=%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (unsigned turn = 0;; ++turn) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) return 1;
    answer(*engines[turn % 2], folder, fd);
  }
}

int connect_to(int port, std::string_view name, std::string_view mode,
               const std::filesystem::path& folder) {
  const Bytes trust = file(folder / "trust"), chain = file(folder / "client.crt"),
              key = file(folder / "client.key");
  auto made = Engine::create({.origin_trust = trust});
  CHECK(made.ok());
  static constexpr Alpn kOffered[] = {Alpn::kHttp11};
  const std::string_view names[] = {name};
  OriginSettings settings;
  settings.server_name = name;
  settings.protocols = kOffered;
  settings.verify = mode == "strict";
  settings.accepted_names = names;
  if (!chain.empty()) {
    settings.identity = {.key = {1, 1}, .chain = chain, .private_key = key};
  }
  for (int visit = 0; visit < 2; ++visit) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port);
    CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    Line line(fd);
    Stream stream;
    CHECK(made.value()->connect(stream, settings) == Failure::kNone);
    std::string text;
    if (shake(line, stream) == Status::kDone) {
      write_all(line, stream, "GET / HTTP/1.0\r\n\r\n");
      while (read_some(line, stream, text) == Status::kDone) {
      }
    }
    std::printf("%s", report(stream).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "serve" && argc == 3) return serve(argv[2]);
  if (command == "connect" && argc >= 5) {
    return connect_to(std::atoi(argv[2]), argv[3], argv[4], argc > 5 ? argv[5] : "/nonexistent");
  }
  std::fprintf(stderr, "usage: tls_peer serve FOLDER | connect PORT NAME MODE [FOLDER]\n");
  return 2;
}
