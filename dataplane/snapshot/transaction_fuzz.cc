// Any bytes as transactions, header and checksum put right, against a small image. Whatever they
// say, committed or aborted: once all is released, the image and a compacted copy of it are clean,
// no block or record is lost, and look-ups survive.
//
// The input is a row of chunks: u8 mode, u16 size, that many bytes of operations.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/compact.h"
#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/transaction.h"

namespace {

using namespace brink;
using namespace brink::snapshot;

// Bits of a chunk's mode.
constexpr std::uint8_t kAbort = 1;       // though it could be committed
constexpr std::uint8_t kRelease = 2;     // what was left behind before
constexpr std::uint8_t kMaintain = 4;    // in the middle of the transaction
constexpr std::uint8_t kExactBytes = 8;  // else cut behind the last operation that decodes
constexpr std::size_t kInputMax = 1U << 16;

// Takes whatever decodes.
class Anything : public ChangeSink {
 public:
  base::Result<void> put_zone(Name, const ZoneContents&) override {
    return {};
  }
  base::Result<void> use_zone(Name) override { return {}; }
  base::Result<void> drop_zone(Name) override { return {}; }
  base::Result<void> put_name(Name, const NameContents&) override { return {}; }
  base::Result<void> drop_name(Name) override { return {}; }
  base::Result<void> put_denial(Name, std::span<const std::uint8_t>) override { return {}; }
  base::Result<void> drop_denial(Name) override { return {}; }
  base::Result<void> put_value(Key, std::span<const std::uint8_t>) override { return {}; }
  base::Result<void> drop_value(Key) override { return {}; }
  base::Result<void> clear_values(Key) override { return {}; }
};

Bytes with_header(std::span<const std::uint8_t> operations, std::uint32_t count) {
  TransactionHeader header{};
  header.magic = kTransactionMagic;
  header.layout_version = kLayoutVersion;
  header.total_size_bytes = sizeof header + operations.size();
  header.version = 1;
  header.operation_count = count;
  Bytes out(header.total_size_bytes);
  std::memcpy(out.data(), &header, sizeof header);
  std::copy(operations.begin(), operations.end(), out.begin() + sizeof header);
  header.crc32c = crc32c(out);
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

std::uint32_t decodable(std::span<const std::uint8_t> operations) {
  const Bytes all = with_header(operations, 0xffffffffU);
  TransactionDecoder decoder(all);
  Anything sink;
  while (decoder.apply(sink, 1).ok()) {
  }
  return decoder.applied();
}

void fill(Store& store) {
  Writer& writer = store.begin();
  const Rrset txt{16, blob(16, Bytes(60, 1))};
  const Bytes route(20, 7);
  const Denial denial{DenialKind::kNsec, 0, {}};
  bool ok = writer.put_zone(wire_name("b"), {1, soa(), soa(), denial}).ok();
  ok = ok && writer.put_name(wire_name("b"), {std::vector{a(1)}, {}}).ok();
  ok = ok && writer.put_name(wire_name("a.a.b"), {std::vector{a(2), txt}, route}).ok();
  ok = ok && writer.put_name(wire_name("*.a.b"), {std::vector{a(3)}, {}}).ok();
  const std::vector<Rrset> signed_servers = {{2, blob(2, Bytes(70, 2))},
                                             {43, blob(43, Bytes(70)), blob(43, Bytes(99))}};
  ok = ok && writer.put_name(wire_name("d.b"), {signed_servers, {}, true}).ok();
  ok = ok && writer.put_name(wire_name("e.b"), {std::span(signed_servers).first(1), {}, true}).ok();
  ok = ok && writer.put_zone(wire_name("c.b"), {1, soa()}).ok();
  ok = ok && writer.put_name(wire_name("c.b"), {std::vector{a(4)}, {}}).ok();
  ok = ok && writer.put_name(wire_name(std::string(60, 'l') + ".c.b"), {std::vector{a(5)}, {}}).ok();
  ok = ok && writer.use_zone(wire_name("b")).ok();
  // More than one node has room for.
  for (int i = 0; i < 40; ++i) {
    const Bytes owner =
        wire_name(std::string(1, static_cast<char>('a' + i % 10)) + std::to_string(i) + ".b");
    ok = ok && writer.put_denial(owner, denial_blob_of(owner, wire_name("b"), {1})).ok();
  }
  for (std::uint8_t i = 0; i < 40; ++i) {
    ok = ok && writer.put_value(Bytes{'v', i}, Bytes(8 + 8 * (i % 3), i)).ok();
  }
  CHECK(ok);
  store.commit();
}

void apply(Store& store, std::uint8_t mode, std::span<const std::uint8_t> operations) {
  if ((mode & kRelease) != 0) store.release();
  const std::uint32_t count = decodable(operations);
  Bytes bytes = with_header(operations, count);
  if ((mode & kExactBytes) == 0) {
    // How far these go is what is left when one more is asked for; the shortest that decodes.
    std::size_t low = 0, high = operations.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (decodable(operations.first(middle)) >= count) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    bytes = with_header(operations.first(high), count);
  }
  CHECK(read_transaction(bytes).ok());

  Writer& writer = store.begin();
  TransactionDecoder decoder(bytes);
  bool good = true;
  for (;;) {
    const auto applied = decoder.apply(writer, 3);
    good = applied.ok();
    if (!good || !applied.value()) break;
    if ((mode & kMaintain) != 0) static_cast<void>(writer.maintain(2));
  }
  if (good && (mode & kAbort) == 0 && writer.check().ok()) {
    store.commit();
  } else {
    store.abort();
  }
}

void look_at_zone(const View& view, const ZoneState& state) {
  static_cast<void>(blob_size(*View::signed_negative_blob(state)));
  if (const Tree* table = View::table(state); table != nullptr) {
    CHECK(table->count != 0);
    for (const Bytes& key : {Bytes{'v', 0}, Bytes{'v', 39}, Bytes{'w'}}) {
      static_cast<void>(view.value(*table, table_key_of(key)).size());
    }
  }
  const DenialChain* chain = View::chain(state);
  if (chain == nullptr) return;
  for (const char* label : {"a", "a1", "c22", "zz"}) {
    const DenialKey key = denial_key_of(wire_name(label), {0});
    CHECK((view.find_denial(*chain, key).blob() == nullptr) == (chain->count == 0));
  }
}

void look_around(const View& view) {
  for (const char* name : {"a.a.b", "x.a.b", "x.x.b", "b", "c.b", "y.c.b", "d.b", "e.b", "", "a.a.a.a.a"}) {
    const Lookup found = lookup(view, name);
    if (found.encloser != nullptr) look_at_zone(view, view.zone(*found.encloser));
    if (found.record == nullptr) continue;
    for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{5}, std::uint16_t{16}}) {
      const BlobHeader* set = view.signed_blob(*found.record, type);
      CHECK((set == nullptr) == (view.blob(*found.record, type) == nullptr));
      if (set != nullptr) static_cast<void>(blob_target(*set).size());
    }
    static_cast<void>(view.route(*found.record).size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInputMax) return 0;
  Store store;
  fill(store);
  for (std::span<const std::uint8_t> rest(data, size); rest.size() >= 3;) {
    const std::uint8_t mode = rest[0];
    const std::size_t wanted = rest[1] + 256U * rest[2];
    const auto operations = rest.subspan(3, std::min(wanted, rest.size() - 3));
    rest = rest.subspan(3 + operations.size());
    apply(store, mode, operations);
    look_around(store.view());
  }
  store.release();
  CHECK(store.image().verify().ok());

  const auto compacted = compact(store.image().pin(), {});
  CHECK(compacted.ok() && compacted.value().verify().ok());
  const Image& fresh = compacted.value();
  CHECK(fresh.usage().records == store.usage().records);
  CHECK(fresh.usage().heap_bytes - kHeapUnit - node_bytes(fresh) ==
        store.heap_in_use() - node_bytes(store.image()));
  CHECK(fresh.state().names == store.image().state().names);
  look_around(store.view());
  look_around(fresh.view());
  return 0;
}
