// BlobWriter: renders one RRset and its additional records into a snapshot Blob (layout.h), with
// the compression that can be decided before the question is known. Cold, one thread.
//
// Names in the data of RFC 1035's own types are compressed (RFC 3597 4): against the zone's apex,
// which every question below it contains, and against names earlier in the blob.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/layout.h"
#include "dns/zone/resource_record.h"
#include "dns/zone/zone.h"

namespace brink::dns::render {

// Where names stand in the data of a type.
struct NameFields {
  std::uint8_t offset = 0;  // octets before the first name
  std::uint8_t count = 0;
  bool compressible = false;     // RFC 1035's own types only
  bool wants_addresses = false;  // its target's addresses belong into the additional section
};
NameFields name_fields(std::uint16_t type);

class BlobWriter {
 public:
  // `apex` in lower case; it outlives the writer.
  explicit BlobWriter(const zone::Wire& apex) : apex_(apex) {}

  // Adds the RRset itself; first of all, once. `with_signatures`: and what covers it.
  void add_body(const zone::Rrset& set, bool with_signatures = false);
  // Adds address records of `owner` (any case), which must stand in the body's data. Required ones
  // come before optional ones. The whole set, with its signatures, is left out when no pointer can
  // reach the owner, or a count or the message would overflow.
  void add_additional(const zone::Wire& owner, const zone::Rrset& set, bool required,
                      bool with_signatures = false);
  // Makes a free-standing blob (layout.h) of an RRset and its signatures, whose owner (lower-case)
  // lies at or below the apex; nothing else may be added.
  void add_free_body(const zone::Wire& owner, const zone::Rrset& set);
  // Notes the target of a CNAME.
  void set_alias_target(const zone::Wire& lower_target) { target_ = lower_target; }

  // The finished Blob. Fails when the RRset does not fit a DNS message.
  base::Result<std::vector<std::uint8_t>> finish() const;

 private:
  // Where a name, or the end of one, stands that pointers may lead to. Few do: what is searched
  // through is small.
  struct Position {
    std::uint32_t at;      // in names_
    std::uint16_t size;
    std::uint16_t offset;  // in data_
  };

  void add_record(std::uint16_t type, std::uint32_t ttl, const zone::Wire& rdata);
  void add_free_record(const zone::Wire& owner, std::uint16_t type, std::uint32_t ttl,
                       const zone::Wire& rdata);
  void write_name(std::string_view name, bool compress);
  bool pointer_to(std::string_view lower_suffix);
  [[nodiscard]] const Position* find(std::string_view lower_suffix) const;
  void u16(std::size_t value);
  void u32(std::uint32_t value);

  const zone::Wire& apex_;
  std::vector<std::uint8_t> data_;
  std::vector<snapshot::Fixup> fixups_;
  zone::Wire names_;  // those in data_, in lower case and whole
  std::vector<Position> positions_;
  zone::Wire target_;
  std::size_t body_size_ = 0;
  std::size_t required_size_ = 0;
  std::size_t body_count_ = 0;
  std::size_t required_count_ = 0;
  std::size_t optional_count_ = 0;
};

}  // namespace brink::dns::render
