// What the tests and fuzzers of this folder share: blobs, names, and Store.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/snapshot/compact.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/writer.h"
#include "tests/support/wire_name.h"

namespace brink::snapshot {

using Bytes = std::vector<std::uint8_t>;
using brink::test::wire_name;

// A blob with one record of `type` whose data is `rdata`.
inline Bytes blob(std::uint16_t type, const Bytes& rdata) {
  BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(12 + rdata.size());
  header.body_count = 1;
  Bytes out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  for (const int byte :
       {0xc0, 0x0c, type >> 8, type & 0xff, 0, 1, 0, 0, 1, 0x2c,
        static_cast<int>(rdata.size() >> 8), static_cast<int>(rdata.size() & 0xff)}) {
    out.push_back(static_cast<std::uint8_t>(byte));
  }
  out.insert(out.end(), rdata.begin(), rdata.end());
  if (out.size() % 2 != 0) out.push_back(0);
  return out;
}

// A CNAME: the blob knows its target.
inline Bytes alias_blob(const Bytes& target) {
  Bytes out = blob(5, target);
  out[offsetof(BlobHeader, target_size)] = static_cast<std::uint8_t>(target.size());
  out.insert(out.end(), target.begin(), target.end());
  return out;
}

// A free-standing blob: a record of `type` whose owner is `labels` below the apex, and its RRSIG,
// whose owner is a pointer at the first.
inline Bytes free_blob(const Bytes& labels, std::uint16_t type, const Bytes& rdata) {
  Bytes body;
  std::vector<Fixup> fixups;
  const auto record = [&](const Bytes& owner, Fixup fixup, int rtype, const Bytes& data) {
    for (const std::uint8_t octet : owner) body.push_back(octet);
    fixup.offset = static_cast<std::uint16_t>(body.size());
    fixups.push_back(fixup);
    for (const int byte :
         {0xc0, 0, rtype >> 8, rtype & 0xff, 0, 1, 0, 0, 1, 0x2c,
          static_cast<int>(data.size() >> 8), static_cast<int>(data.size() & 0xff)}) {
      body.push_back(static_cast<std::uint8_t>(byte));
    }
    for (const std::uint8_t octet : data) body.push_back(octet);
  };
  record(labels, {0, kFixupApex}, type, rdata);
  // Where there are no labels the apex is nearer than the pointer to it.
  record({}, {0, labels.empty() ? kFixupApex : kFixupBlob}, 46, Bytes(24, 7));
  BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(body.size());
  header.body_count = 2;
  header.fixup_count = 2;
  const std::size_t fixups_at = sizeof header + (body.size() + 1) / 2 * 2;
  Bytes out(fixups_at + fixups.size() * sizeof(Fixup));
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, body.data(), body.size());
  std::memcpy(out.data() + fixups_at, fixups.data(), fixups.size() * sizeof(Fixup));
  return out;
}

// What the chain of the zone at `apex` has at `owner`; two with different `rdata` are different.
inline Bytes denial_blob_of(const Bytes& owner, const Bytes& apex, const Bytes& rdata) {
  return free_blob({owner.begin(), owner.end() - static_cast<std::ptrdiff_t>(apex.size())}, 47,
                   rdata);
}

// The name in lower case.
inline DenialKey denial_key_of(const Bytes& name, const Bytes& apex) {
  DenialKey key;
  set_denial_key(key, name.data(), name.size(), apex.size());
  return key;
}

inline DenialKey table_key_of(const Bytes& octets) {
  DenialKey key;
  set_table_key(key, octets);
  return key;
}

inline Bytes soa() {
  return blob(6, Bytes(22));
}

inline Rrset a(std::uint8_t last) {
  return {1, blob(1, {192, 0, 2, last})};
}

inline base::HashKey key_of_seed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  base::HashKey key;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  return key;
}

inline NameKey key_of(const View& view, const Bytes& name) {
  NameKey key;
  set_key(key, view.hash_key(), name.data(), name.size(), name.size());
  return key;
}

inline Lookup lookup(const View& view, const std::string& name) {
  return view.lookup(key_of(view, wire_name(name)));
}

// The last byte of the A record that `view` sees at `name`; 0: none.
inline int a_of(const View& view, const std::string& name) {
  const Lookup found = lookup(view, name);
  const BlobHeader* set = found.record == nullptr ? nullptr : view.blob(*found.record, 1);
  return set == nullptr ? 0 : blob_body(*set)[15];
}

inline std::uint64_t node_bytes_below(const DenialReader& reader, HeapRef ref) {
  const DenialNode& node = reader.node(ref);
  std::uint64_t bytes =
      Heap::block_bytes(denial_node_size(node.prefix_size, node.count, node.level));
  for (std::uint32_t i = 0; node.level > 0 && i < node.count; ++i) {
    bytes += node_bytes_below(reader, denial_children(node)[i]);
  }
  return bytes;
}

// What the nodes of all trees take, in an image without older versions: a compacted one has fewer.
inline std::uint64_t node_bytes(const Image& image) {
  const Pinned pinned = image.pin();
  const View view = image.view();
  std::uint64_t bytes = 0;
  for (std::uint32_t zone = 1; zone < pinned.zone_slots; ++zone) {
    const HeapRef state = pinned.root.zones[zone].state;
    if (state == 0) continue;
    const auto& newest = *reinterpret_cast<const ZoneState*>(view.heap(state));
    for (const Tree* tree : {static_cast<const Tree*>(View::chain(newest)), View::table(newest)}) {
      if (tree == nullptr || tree->root == 0) continue;
      bytes += node_bytes_below(DenialReader(view.heap(0)), tree->root);
    }
  }
  return bytes;
}

// An image, its writer, and what transactions left behind: an edge without workers.
class Store {
 public:
  explicit Store(const ImageOptions& options = {}, std::uint64_t seed = 1)
      : Store(Image::create(key_of_seed(seed), options).value()) {}
  explicit Store(Image image) : image_(std::move(image)), writer_(image_) {}

  Writer& begin() {
    writer_.begin(image_.generation() + 1);
    return writer_;
  }
  void commit() { garbage_.push_back(writer_.commit(image_.state().version + 1, 4)); }
  void abort() { garbage_.push_back(writer_.abort()); }
  // A transaction of one step.
  template <typename Step>
  void change(const Step& step) {
    step(begin());
    commit();
  }

  // Frees the oldest garbage; false: there is none.
  bool release_one() {
    if (garbage_.empty()) return false;
    Garbage later = writer_.release(std::move(garbage_.front()));
    garbage_.pop_front();
    if (!later.empty()) garbage_.push_back(std::move(later));
    return true;
  }
  void release() {
    garbage_.push_back(writer_.flush());
    while (release_one()) {
    }
  }

  Image& image() { return image_; }
  Writer& writer() { return writer_; }
  [[nodiscard]] View view() const { return image_.view(); }
  [[nodiscard]] ImageUsage usage() const { return image_.usage(); }
  // Bytes of the heap in blocks that something leads to.
  [[nodiscard]] std::uint64_t heap_in_use() const {
    return usage().heap_bytes - usage().heap_free_bytes - kHeapUnit;
  }

 private:
  Image image_;
  Writer writer_;
  std::deque<Garbage> garbage_;
};

}  // namespace brink::snapshot
