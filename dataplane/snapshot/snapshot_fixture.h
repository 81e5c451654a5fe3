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
