// Image: one name table with all it leads to, in private memory that grows in place. Cold.
//
// The way of an image: the control process builds one (builder.h) and seals it into a memfd; the
// edge checks the seals, copies it into memory of its own (huge pages where there are any) and
// verifies the copy, so that nothing outside can change what workers read. From then on the edge's
// Writer is the only one who changes it (writer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/snapshot/heap.h"
#include "dataplane/snapshot/name_table.h"
#include "dataplane/snapshot/root.h"
#include "dataplane/snapshot/rrset_blocks.h"
#include "dataplane/snapshot/slots.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {

struct ImageOptions {
  Placement placement;
  std::size_t memory_limit_bytes = ~std::size_t{0};
  // What readers of the image have as their generation at least.
  std::uint32_t generation = 0;
};

// Where the memory of an image goes, and how much of it is waste.
struct ImageUsage {
  std::uint64_t memory_bytes = 0;     // taken from the system
  std::uint64_t records = 0;          // versions of names
  std::uint64_t records_free = 0;     // slots to be used again
  std::uint64_t heap_bytes = 0;       // to the end of the last block
  std::uint64_t heap_free_bytes = 0;  // of these, in free blocks
  std::uint64_t buckets = 0;
};

// What changes with each transaction.
struct ImageState {
  std::uint64_t version = 0;  // of the store
  std::uint64_t created_unix_ns = 0;
  std::uint64_t token = 0;  // of the version; layout.h
  std::uint64_t names = 0;  // that belong to a zone
  std::uint32_t zones = 0;
};

// What one generation sees of an image, for a reader that keeps it longer than a burst.
struct Pinned {
  Root root;
  std::uint32_t generation = 0;
  ImageState state;
  std::uint32_t zone_slots = 0;
};

// Moves, never copies. Freeing it while a worker may still read is the caller's bug: free after an
// RCU grace period.
class Image {
 public:
  Image() = default;  // nothing, until one is moved here
  Image(Image&&) noexcept = default;
  // What was here goes first: its regions count back into its budget, which must not go before them.
  Image& operator=(Image&& other) noexcept {
    if (this == &other) return *this;
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
  }
  ~Image() = default;

  // An image without names: every question is refused, every Host unknown. Version 0. `names` is
  // how many are expected.
  static base::Result<Image> create(const base::HashKey& hash_key, const ImageOptions& options,
                                    std::uint64_t names = 0);
  // A private, verified copy of the memfd at `fd`, which must be sealed against writing and
  // resizing.
  static base::Result<Image> receive(int fd, std::uint64_t size_bytes, const ImageOptions& options);
  // A private, verified copy of the file at `path`.
  static base::Result<Image> load(const std::string& path, const ImageOptions& options);

  // See verify.h. Only for an image without versions: one that was just built, loaded or compacted.
  [[nodiscard]] base::Result<void> verify() const;

  // Replaces the file at `path`: written beside it, flushed, renamed. Blocks on the disk. Without
  // versions, too.
  base::Result<void> save(const std::string& path) const;
  // The same into a fresh memfd, sealed (F_SEAL_WRITE, GROW, SHRINK, SEAL).
  base::Result<base::UniqueFd> seal(std::uint64_t& size_bytes) const;

  [[nodiscard]] const ImageState& state() const { return state_; }
  [[nodiscard]] const base::HashKey& hash_key() const { return hash_key_; }
  // Where readers look; another one whenever epoch() has grown.
  [[nodiscard]] Root root() const;
  [[nodiscard]] std::uint64_t epoch() const { return names_.epoch(); }
  // All that was committed. Only while nobody writes.
  [[nodiscard]] View view() const { return {root(), generation_}; }
  // The same for a reader that goes on while transactions come. Between two of these; the caller
  // keeps the grace period of what was committed so far from ending.
  [[nodiscard]] Pinned pin() const { return {root(), generation_, state_, zones_.end()}; }
  [[nodiscard]] ImageUsage usage() const;
  // The generation of the last commit.
  [[nodiscard]] std::uint32_t generation() const { return generation_; }

 private:
  friend class Writer;
  friend class Compactor;
  static base::Result<Image> read(int fd, std::uint64_t size_bytes, const std::string& where,
                                  const ImageOptions& options);
  [[nodiscard]] ImageHeader make_header() const;
  base::Result<void> write(int fd, const std::string& where) const;
  std::uint32_t adopt_records();
  void adopt_zones();
  [[nodiscard]] Sections sections(const ImageHeader& header) const;

  std::unique_ptr<MemoryBudget> budget_;
  ImageOptions options_;
  base::HashKey hash_key_;
  ImageState state_;
  std::uint32_t generation_ = 0;
  NameTable names_;
  Slots<Record> records_;
  Slots<Zone> zones_;
  Heap heap_;
  RrsetBlocks rrsets_;
};

}  // namespace brink::snapshot
