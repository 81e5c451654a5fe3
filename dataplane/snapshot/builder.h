// Builder: lays out a full image from rendered names. Cold, control side, one thread; throws only
// std::bad_alloc.
//
// The caller adds each zone, then each of its names that owns a record or a route; the builder
// makes every missing ancestor, links parents and wildcards, inlines one RRset a record, and
// hashes. Two served zones may claim a name: the deeper apex wins, and a child zone's apex keeps
// the DS set of its parent's delegation (RFC 4035 3.1.4.1).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/name.h"

namespace brink::snapshot {

class Builder {
 public:
  explicit Builder(const base::HashKey& hash_key);

  // Adds a zone and its apex name; `negative` is a Blob with the SOA record. Returns the zone's
  // index for add_name. Fails on a malformed name or a zone added twice.
  base::Result<std::uint32_t> add_zone(std::span<const std::uint8_t> apex, std::uint32_t serial,
                                       std::span<const std::uint8_t> negative);

  // Adds a name (wire form, any case) with its RRsets and route (empty: none). `cut` says that the
  // name is a delegation. Fails if the name is malformed, outside the zone, or there already.
  base::Result<void> add_name(std::uint32_t zone, std::span<const std::uint8_t> name,
                              std::span<const Rrset> rrsets, std::span<const std::uint8_t> route,
                              bool cut);

  // Links everything and returns the image's size. After it only write() may be called.
  std::size_t finish();

  // Writes the image into `out`, which has the size that finish() returned and is zero-filled.
  void write(std::span<std::uint8_t> out, std::uint64_t snapshot_version,
             std::uint64_t created_unix_ns);

 private:
  struct ZoneInfo {
    Zone zone{};
    std::string apex;  // lower-case wire form
  };

  std::uint32_t find(const NameKey& key) const;
  std::uint32_t add_record(const NameKey& key);
  void grow_index();
  void add_ancestors(std::uint32_t index);
  void link(std::uint32_t index);
  static void drop_contents(Record& record);
  [[nodiscard]] std::vector<Rrset> take_ds(const Record& record) const;
  void store_rrsets(Record& record, std::span<const Rrset> rrsets);
  HeapRef store(std::span<const std::uint8_t> bytes);
  void key_of(std::uint32_t index, NameKey& key) const;
  [[nodiscard]] const std::uint8_t* name_of(const Record& record) const;
  bool fill_buckets();

  base::HashKey hash_key_;
  std::vector<Record> records_;
  std::vector<ZoneInfo> zones_;
  std::vector<std::uint8_t> heap_;
  std::vector<std::uint32_t> index_;  // open addressing over records_, by name hash
  std::vector<bool> filled_;          // by record: add_name was called for it
  std::vector<Bucket> buckets_;
  bool finished_ = false;
};

}  // namespace brink::snapshot
