// What finding the NSEC record before a name costs: random names, one at a time, two at once as an
// NXDOMAIN asks (RFC 4035 3.1.3.2), and 32 at once. And what changing a chain costs.
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/view.h"
#include "perf/support/micro.h"

namespace brink::snapshot {
namespace {

using Wire = std::vector<std::uint8_t>;

constexpr std::size_t kKinds = 1 << 13;
constexpr std::size_t kBurst = 32;
const Wire kApex = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0};

// The chain's names are every other number, scattered as host names are.
Wire owner_of(std::uint64_t number) {
  const std::string label = "h" + std::to_string(number * 0x9e3779b97f4a7c15U % 100'000'000'000U);
  Wire name;
  name.push_back(static_cast<std::uint8_t>(label.size()));
  for (const char c : label) name.push_back(static_cast<std::uint8_t>(c));
  for (const std::uint8_t octet : kApex) name.push_back(octet);
  return name;
}

Wire blob_of(std::size_t data_size, const Wire& labels) {
  Wire body = labels;
  const auto pointer = static_cast<std::uint16_t>(body.size());
  for (const int octet : {0xc0, 0, 0, 47, 0, 1, 0, 0, 1, 0x2c, 0, static_cast<int>(data_size)}) {
    body.push_back(static_cast<std::uint8_t>(octet));
  }
  body.resize(body.size() + data_size);
  const BlobHeader header{static_cast<std::uint16_t>(body.size()), 0, 0, 1, 0, 0, 1, 0};
  const Fixup fixup{pointer, kFixupApex};
  Wire blob(sizeof header + (body.size() + 1) / 2 * 2 + sizeof fixup);
  std::memcpy(blob.data(), &header, sizeof header);
  std::memcpy(blob.data() + sizeof header, body.data(), body.size());
  std::memcpy(blob.data() + blob.size() - sizeof fixup, &fixup, sizeof fixup);
  return blob;
}

void put_record(ChangeSink& sink, std::uint64_t number) {
  const Wire owner = owner_of(number);
  const auto labels_end = owner.end() - static_cast<std::ptrdiff_t>(kApex.size());
  // As large as a record with an RRSIG of ECDSA P-256.
  CHECK(sink.put_denial(owner, blob_of(150, {owner.begin(), labels_end})).ok());
}

Image make_image(std::size_t records) {
  Builder builder{base::HashKey{}};
  Wire soa = {34, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22};
  soa.resize(soa.size() + 22);
  CHECK(builder.put_zone(kApex, {1, soa, {}, {DenialKind::kNsec, 0, {}}}).ok());
  CHECK(builder.put_name(kApex, {}).ok());
  for (std::size_t i = 0; i < records; ++i) put_record(builder, 2 * i);
  return std::move(builder.finish(1, 0)).value();
}

const Image& image_of(std::size_t records) {
  static std::map<std::size_t, Image> images;
  auto at = images.find(records);
  if (at == images.end()) at = images.emplace(records, make_image(records)).first;
  return at->second;
}

const DenialChain& chain_of(const View& view) {
  NameKey apex;
  set_key(apex, view.hash_key(), kApex.data(), kApex.size(), kApex.size());
  return *View::chain(view.zone(*view.find(apex)));
}

std::vector<DenialKey> keys_of(std::size_t records) {
  std::mt19937_64 random(1);
  std::vector<DenialKey> keys(kKinds);
  for (DenialKey& key : keys) {
    const Wire name = owner_of(2 * (random() % records) + 1);
    set_denial_key(key, name.data(), name.size(), kApex.size());
  }
  return keys;
}

// Keeps the compiler from dropping a result.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

perf::Batch find_one(std::size_t records) {
  const View view = image_of(records).view();
  return [view, keys = keys_of(records), at = std::size_t{0}]() mutable {
    const DenialChain& chain = chain_of(view);
    for (std::size_t i = 0; i < kBurst; ++i) {
      keep(view.find_denial(chain, keys[at++ % kKinds]).blob()->body_size);
    }
    return kBurst;
  };
}

perf::Batch find_several(std::size_t records, std::size_t at_once) {
  const View view = image_of(records).view();
  return [view, at_once, keys = keys_of(records), at = std::size_t{0}]() mutable {
    const DenialChain& chain = chain_of(view);
    DenialQuestion questions[kBurst];
    for (std::size_t i = 0; i < kBurst; i += at_once) {
      for (std::size_t j = 0; j < at_once; ++j) questions[j] = {&chain, &keys[at++ % kKinds]};
      view.find_denials({questions, at_once});
      for (std::size_t j = 0; j < at_once; ++j) keep(questions[j].hit.blob()->body_size);
    }
    return kBurst;
  };
}

perf::Batch make_key() {
  const Wire name = owner_of(12345);
  return [name] {
    DenialKey key;
    for (std::size_t i = 0; i < kBurst; ++i) {
      set_denial_key(key, name.data(), name.size(), kApex.size());
      keep(key);
    }
    return kBurst;
  };
}

// Signatures that are renewed, a few in a transaction.
perf::Batch change(std::size_t records) {
  struct State {
    explicit State(Image made) : image(std::move(made)), writer(image) {}
    Image image;
    Writer writer;
    std::mt19937_64 random{1};
    std::uint64_t version = 1;
  };
  const auto state = std::make_shared<State>(make_image(records));
  return [state, records] {
    Writer& writer = state->writer;
    writer.begin(state->image.generation() + 1);
    CHECK(writer.use_zone(kApex).ok());
    for (std::size_t i = 0; i < kBurst; ++i) {
      put_record(writer, 2 * (state->random() % records));
    }
    Garbage garbage = writer.commit(++state->version, 0);
    while (!garbage.empty()) garbage = writer.release(std::move(garbage));
    return kBurst;
  };
}

const int kRegistered[] = {
    perf::add_micro("denial/set_key", make_key),
    perf::add_micro("denial/one/1k", [] { return find_one(1'000); }),
    perf::add_micro("denial/one/100k", [] { return find_one(100'000); }),
    perf::add_micro("denial/one/1M", [] { return find_one(1'000'000); }),
    perf::add_micro("denial/two/1k", [] { return find_several(1'000, 2); }),
    perf::add_micro("denial/two/100k", [] { return find_several(100'000, 2); }),
    perf::add_micro("denial/two/1M", [] { return find_several(1'000'000, 2); }),
    perf::add_micro("denial/burst32/1k", [] { return find_several(1'000, kBurst); }),
    perf::add_micro("denial/burst32/100k", [] { return find_several(100'000, kBurst); }),
    perf::add_micro("denial/burst32/1M", [] { return find_several(1'000'000, kBurst); }),
    perf::add_micro("denial/change/1M", [] { return change(1'000'000); }),
};

}  // namespace
}  // namespace brink::snapshot
