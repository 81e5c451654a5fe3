// Arbitrary and damaged TLS records for server and client streams. Checked: nothing is read outside
// the input (sanitizers), what is left of the input is its end, a stream that failed stays so, the
// error queue stays empty, what finds no room stays within bounds, and no byte is delivered that
// the other side has not written.
//
// The first octet chooses: the rest is what one side receives, or a list of what is done to the
// bytes between two real ends.
#include <cstdlib>

#include "dataplane/tls/pair_fixture.h"

namespace {

using namespace brink::tls;        // NOLINT
using namespace brink::tls::test;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

// Made once: keys cost more than anything here.
struct World {
  World() {
    bytes = certificate.bytes();
    host.key = {1, 1};
    host.certificates = {&bytes, 1};
    host.protocols = protocols;
    host.client_auth = ClientAuth::kOptional;
    host.client_authorities = authority_der;
    hosts.fallback = host;
    engine = make_engine({.origin_trust = authority_der});
  }

  Certificate root = authority();
  Bytes authority_der = root.der();
  Certificate certificate = leaf(root, {"www.example.com"});
  CertificateBytes bytes;
  std::vector<Alpn> protocols{Alpn::kH2, Alpn::kHttp11};
  HostSettings host;
  Hosts hosts;
  std::unique_ptr<Engine> engine;
};

World& world() {
  static World one;
  return one;
}

void begin_server(Stream& stream) {
  world().hosts.asked.clear();
  require(world().engine->accept(stream, world().hosts, 0) == Failure::kNone);
}

void begin_client(Stream& stream, bool verify) {
  const std::string_view names[] = {"www.example.com"};
  require(world().engine->connect(stream, {.server_name = names[0],
                                           .protocols = world().protocols,
                                           .verify = verify,
                                           .accepted_names = names}) == Failure::kNone);
}

// One call with a piece of what has come.
Moved step(End& end, bool write) {
  const Failure before = end.stream.failure();
  std::uint8_t plain[700];
  Moved moved;
  if (write) {
    std::fill(std::begin(plain), std::end(plain), std::uint8_t{'x'});
    moved = end.write(plain);
  } else {
    moved = end.read(plain);
    for (std::size_t i = 0; i < moved.size; ++i) require(plain[i] == 'x');
  }
  require(moved.size <= sizeof plain);
  require(before == Failure::kNone || end.stream.failure() == before);
  require(moved.status != Status::kFailed || end.stream.failure() != Failure::kNone);
  require(end.stream.queued() < 64 * 1024);
  end.stream.rest();
  return moved;
}

void feed(bool to_client, std::span<const std::uint8_t> data) {
  End end;
  Bytes sink;
  end.peer_in = &sink;
  if (to_client) {
    begin_client(end.stream, true);
    step(end, false);
  } else {
    begin_server(end.stream);
  }
  end.in.assign(data.begin(), data.end());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX, SIZE_MAX}) {
    end.in_piece = piece;
    for (int i = 0; i < 40 && !end.in.empty(); ++i) step(end, false);
  }
  end.stream.end_input();
  step(end, false);
  require(!end.stream.established());
}

void damage(Bytes& bytes, std::uint8_t what, std::uint8_t where) {
  if (bytes.empty()) return;
  const std::size_t at = where * bytes.size() / 256;
  switch (what % 8) {
    case 0:
      bytes[at] ^= static_cast<std::uint8_t>(1U << (what >> 5));
      break;
    case 1:
      bytes[at] = what;
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), what);
      break;
    case 4: {
      if (bytes.size() > 32 * 1024) return;
      const Bytes copy = bytes;
      bytes.insert(bytes.end(), copy.begin(), copy.end());
      break;
    }
    case 5:
      bytes[0] = what;
      break;
    case 6:
      bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 7:
      break;
  }
}

void converse(std::uint8_t kind, std::span<const std::uint8_t> script) {
  Pair pair;
  world().hosts.fallback->max_version = (kind & 4) != 0 ? Version::kTls12 : Version::kTls13;
  world().hosts.fallback->key.version = (kind & 4) != 0 ? 1 : 2;
  begin_client(pair.client.stream, (kind & 8) != 0);
  begin_server(pair.server.stream);
  for (std::size_t i = 0; i + 2 < script.size() && i < 300; i += 3) {
    End& end = (script[i] & 1) != 0 ? pair.client : pair.server;
    if ((script[i] & 0x80) != 0) damage(end.in, script[i + 1], script[i + 2]);
    end.in_piece = (script[i] & 2) != 0 ? script[i + 2] + 1U : SIZE_MAX;
    end.out_room = (script[i] & 4) != 0 ? script[i + 2] * 8U : 64 * 1024;
    if ((script[i] & 0x38) == 0x38) {
      end.close();
    } else {
      step(end, (script[i] & 8) != 0);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 64 * 1024) return 0;
  const std::span rest(data + 1, size - 1);
  if ((data[0] & 2) != 0) {
    converse(data[0], rest);
  } else {
    feed((data[0] & 1) != 0, rest);
  }
  return 0;
}
