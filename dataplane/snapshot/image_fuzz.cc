// Any bytes as an image, with the checksum put right so that the checks behind it are reached. What
// verify() lets through, View and the questions below must survive; and a Writer that takes all of
// it away again, after which nothing is in use.
#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/file_io.h"
#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/verify.h"

namespace {

using namespace brink::snapshot;

void look_at_zone(const View& view, const ZoneState& state) {
  static_cast<void>(blob_size(*View::signed_negative_blob(state)));
  if (const Tree* table = View::table(state); table != nullptr) {
    for (const char* key : {"a", "v7", "v20", "zz"}) {
      static_cast<void>(view.value(*table, table_key_of(Bytes(key, key + std::strlen(key)))).size());
    }
  }
  const DenialChain* chain = View::chain(state);
  if (chain == nullptr) return;
  DenialKey keys[5];
  DenialQuestion questions[5];
  for (std::size_t i = 0; i < 5; ++i) {
    const Bytes name = wire_name(std::array{"", "*", "a", "n20", "www.x"}[i]);
    keys[i] = denial_key_of(name, {0});
    questions[i] = {chain, &keys[i]};
  }
  view.find_denials(questions);
  for (const DenialQuestion& question : questions) {
    const DenialHit hit = view.find_denial(*chain, *question.key);
    CHECK(hit.blob() == question.hit.blob() && hit.exact == question.hit.exact);
    CHECK((hit.blob() == nullptr) == (chain->count == 0));
  }
}

void look(const View& view, const NameKey& key) {
  const Lookup found = view.lookup(key);
  if (found.encloser != nullptr) look_at_zone(view, view.zone(*found.encloser));
  if (found.record == nullptr) return;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{16}}) {
    for (const BlobHeader* blob :
         {view.blob(*found.record, type), view.signed_blob(*found.record, type)}) {
      if (blob != nullptr) static_cast<void>(blob_target(*blob).size());
    }
  }
  static_cast<void>(view.route(*found.record).size());
}

Image receive(std::span<const std::uint8_t> bytes) {
  brink::base::UniqueFd fd(::memfd_create("image", MFD_ALLOW_SEALING));
  CHECK(fd.valid() && write_whole(fd.get(), bytes));
  CHECK(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
  auto received = Image::receive(fd.get(), bytes.size(), {});
  CHECK(received.ok());
  return std::move(received).value();
}

void add_owners(const DenialReader& reader, HeapRef ref, const Bytes& apex,
                std::vector<Bytes>& owners) {
  const DenialNode& node = reader.node(ref);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (node.level > 0) {
      add_owners(reader, denial_children(node)[i], apex, owners);
      continue;
    }
    const std::uint8_t* const labels =
        blob_body(denial_blob(reader.entry(denial_entries(node)[i])));
    std::size_t size = 0;
    while (labels[size] <= kLabelMax) size += 1U + labels[size];
    owners.emplace_back(labels, labels + size);
    owners.back().insert(owners.back().end(), apex.begin(), apex.end());
  }
}

// Every other record of all chains goes and others come. A verified tree may be so high that it
// cannot grow.
void change_chains(Store& store, const std::vector<Bytes>& apexes) {
  const View view = store.view();
  Writer& writer = store.begin();
  bool good = true;
  for (const Bytes& apex : apexes) {
    const DenialChain* chain = View::chain(view.zone(*view.find(key_of(view, apex))));
    if (chain == nullptr) continue;
    std::vector<Bytes> owners;
    if (chain->root != 0) add_owners(DenialReader(view.heap(0)), chain->root, apex, owners);
    CHECK(writer.use_zone(apex).ok());
    for (std::size_t i = 0; i < owners.size(); i += 2) CHECK(writer.drop_denial(owners[i]).ok());
    for (int i = 0; good && i < 30; ++i) {
      Bytes owner = wire_name("n" + std::to_string(i));
      owner.pop_back();
      owner.insert(owner.end(), apex.begin(), apex.end());
      if (owner.size() <= kNameMax) {
        good = writer.put_denial(owner, denial_blob_of(owner, apex, {})).ok();
      }
    }
  }
  good ? store.commit() : store.abort();
}

void add_keys(const DenialReader& reader, HeapRef ref, std::vector<Bytes>& keys) {
  const DenialNode& node = reader.node(ref);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (node.level > 0) {
      add_keys(reader, denial_children(node)[i], keys);
      continue;
    }
    const auto key = denial_key(reader.entry(denial_entries(node)[i]));
    keys.emplace_back(key.begin(), key.end());
  }
}

// The same with all tables; now and then nothing is left of one.
void change_tables(Store& store, const std::vector<Bytes>& apexes) {
  const View view = store.view();
  Writer& writer = store.begin();
  bool good = true;
  for (const Bytes& apex : apexes) {
    const Tree* table = View::table(view.zone(*view.find(key_of(view, apex))));
    if (table == nullptr) continue;
    std::vector<Bytes> keys;
    add_keys(DenialReader(view.heap(0)), table->root, keys);
    CHECK(keys.size() == table->count);
    CHECK(writer.use_zone(apex).ok());
    const std::size_t step = keys.size() % 3 == 0 ? 1 : 2;
    for (std::size_t i = 0; i < keys.size(); i += step) CHECK(writer.drop_value(keys[i]).ok());
    for (std::uint8_t i = 0; good && step > 1 && i < 30; ++i) {
      good = writer.put_value(Bytes{'k', i}, Bytes(16, i)).ok();
    }
  }
  good ? store.commit() : store.abort();
}

// All names and zones of a verified image, by the Writer.
void take_away(Image image, std::span<const std::uint8_t> bytes) {
  Store store(std::move(image));
  std::vector<Bytes> names, apexes;
  const Sections sections = sections_of(bytes);
  const View view(root_of(sections), 0);
  for (const Record& record : sections.records.subspan(1)) {
    if (record.name_size == 0 || record.zone == 0) continue;
    const std::uint8_t* name = view.name_bytes(record);
    ((record.flags & kApex) != 0 ? apexes : names).emplace_back(name, name + record.name_size);
  }
  change_chains(store, apexes);
  change_tables(store, apexes);
  Writer& writer = store.begin();
  for (const Bytes& name : names) CHECK(writer.drop_name(name).ok());
  for (const Bytes& apex : apexes) CHECK(writer.drop_zone(apex).ok());
  store.commit();
  CHECK(store.image().state().names == 0 && store.image().state().zones == 0);
  store.release();
  CHECK(store.usage().records == 0);
  CHECK(store.image().verify().ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > (1U << 20)) return 0;
  // Exactly as large as the input: the sanitizer sees a single byte too far.
  auto* bytes =
      static_cast<std::uint8_t*>(::operator new (size, std::align_val_t{kSectionAlignment}));
  std::memcpy(bytes, data, size);
  if (size >= kHeaderSize) {
    auto* header = reinterpret_cast<ImageHeader*>(bytes);
    header->magic = kImageMagic;
    header->layout_version = kLayoutVersion;
    header->total_size_bytes = size;
    header->crc32c = 0;
    header->crc32c = crc32c({bytes, size});
  }
  const auto& header = *reinterpret_cast<const ImageHeader*>(bytes);
  if (size >= kHeaderSize && verify_header(header, size).ok() &&
      verify(sections_of({bytes, size})).ok()) {
    Image image = receive({bytes, size});
    NameKey key;
    for (const char* name :
         {"www.example.com", "x.w.example.com", "nope.example.com", "sub.example.com"}) {
      set_key_from_text(key, image.view().hash_key(), name);
      look(image.view(), key);
    }
    take_away(std::move(image), {bytes, size});
  }
  ::operator delete (bytes, std::align_val_t{kSectionAlignment});
  return 0;
}
