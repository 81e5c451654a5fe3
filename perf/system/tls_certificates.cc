// tls-certificates: an image with many certificates, each of a zone of its own as customers bring
// them: bytes a certificate, seconds until the image is loaded and verified as brink-edge does at
// its start, nanoseconds to find what a client is shown by random names (SNI).
//
// Usage: tls_certificates [CERTIFICATES [LOOK-UPS]]. Prints one line of JSON.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/image.h"
#include "l7/render/tls_blob.h"
#include "l7/route/certificate_lookup.h"

namespace {

using namespace brink;
using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;
using l7::route::TableGroup;
using l7::route::TableKey;

// As large as a leaf of ECDSA P-256 with its intermediate; the key as sealed PEM.
constexpr std::size_t kLeafSize = 1000, kIntermediateSize = 1100, kSealedKeySize = 270;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string zone_of(std::size_t number) {
  return "customer" + std::to_string(number) + ".example";
}

Bytes wire_of(const std::string& name) {
  Bytes out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<std::uint8_t>(dot - at));
    for (; at < dot; ++at) out.push_back(static_cast<std::uint8_t>(name[at]));
    ++at;
  }
  out.push_back(0);
  return out;
}

Bytes soa() {
  Bytes out(46);
  const std::uint8_t head[] = {34, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22};
  std::copy(std::begin(head), std::end(head), out.begin());
  return out;
}

void add_der(Bytes& out, std::size_t size, std::mt19937_64& random) {
  for (const std::size_t octet : {std::size_t{0x30}, std::size_t{0x82}, size >> 8, size & 0xff}) {
    out.push_back(static_cast<std::uint8_t>(octet));
  }
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(random()));
}

void put_zone(snapshot::Builder& builder, std::size_t number, bool with_certificate,
              std::mt19937_64& random) {
  static const Bytes negative = soa();
  const std::string zone = zone_of(number);
  CHECK(builder.put_zone(wire_of(zone), {1, negative}).ok());
  CHECK(builder.put_name(wire_of(zone), {}).ok());
  if (!with_certificate) return;
  Bytes chain, key(kSealedKeySize);
  add_der(chain, kLeafSize, random);
  add_der(chain, kIntermediateSize, random);
  l7::render::CertificateSpec spec;
  for (auto& octet : spec.id) octet = static_cast<std::uint8_t>(random());
  spec.not_after_s = 4'000'000'000;
  spec.chain_count = 2;
  spec.chain = chain;
  spec.sealed_key = key;
  spec.key_context = "private key of certificate 0123456789abcdef0123456789abcdef";
  const auto put = [&](const TableKey& at, const Bytes& value) {
    CHECK(builder.put_value(at.octets(), value).ok());
  };
  put(key_of(TableGroup::kCertificate, spec.id), l7::render::render_certificate(spec));
  l7::render::HostSpec host;
  host.certificates = {{spec.id, spec.not_after_s, spec.key_kind}};
  const Bytes shown = l7::render::render_host(host);
  put(key_of(TableGroup::kHost, zone), shown);
  put(key_of(TableGroup::kHost, "*." + zone), shown);
  put(TableKey(TableGroup::kHost), shown);
}

snapshot::Image make(std::size_t zones, bool with_certificates) {
  std::mt19937_64 random(1);
  snapshot::Builder builder(base::HashKey{}, {}, zones);
  for (std::size_t i = 0; i < zones; ++i) put_zone(builder, i, with_certificates, random);
  return std::move(builder.finish(1, 1)).value();
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t zones = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
  const std::size_t lookups = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1'000'000;
  CHECK(zones > 0 && lookups > 0);
  const std::uint64_t without = make(zones, false).usage().memory_bytes;
  const std::string path = "/tmp/tls_certificates." + std::to_string(::getpid());
  std::uint64_t with = 0;
  {
    const snapshot::Image made = make(zones, true);
    with = made.usage().memory_bytes;
    CHECK(made.save(path).ok());
  }
  const auto start = Clock::now();
  const auto loaded = snapshot::Image::load(path, {});
  const double load_s = seconds_since(start);
  ::unlink(path.c_str());
  CHECK(loaded.ok());

  const snapshot::View view = loaded.value().view();
  std::mt19937_64 random(2);
  std::vector<std::string> names(1 << 14);
  for (std::string& name : names) name = "www." + zone_of(random() % zones);
  l7::route::TlsHost host;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < lookups; ++i) {
    const auto verdict = l7::route::find_tls_host(view, names[i % names.size()], 0, host);
    CHECK(verdict == l7::route::TlsHostVerdict::kFound);
  }
  const double lookup_ns = seconds_since(begin) / static_cast<double>(lookups) * 1e9;
  std::printf(
      "{\"bench\": \"tls-certificates\", \"unit\": \"ns/look-up\", \"brink\": %.0f, \"peer\": null, "
      "\"peer_name\": null, \"ratio\": null, \"certificates\": %zu, \"load_s\": %.2f, "
      "\"bytes_a_certificate\": %.0f, \"chain_and_key_bytes\": %zu}\n",
      lookup_ns, zones, load_s,
      static_cast<double>(with - without) / static_cast<double>(zones),
      kLeafSize + kIntermediateSize + kSealedKeySize + 8);
  return 0;
}
