// read_blob: a snapshot Blob (layout.h) back to records, for people to read: the inverse of
// blob_writer, by the way that an answer takes. Cold, control side; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::render {

struct BlobContents {
  std::vector<zone::ResourceRecord> body;      // the RRset
  std::vector<zone::ResourceRecord> required;  // additional records that must go along
  std::vector<zone::ResourceRecord> optional;  // that go along where there is room
  zone::Wire target;                           // of a CNAME; else empty
};

// `owner` is asked for and lies at or below `apex`, both lower-case wire names. The bytes may come
// from anywhere: what is no blob is refused with the reason.
base::Result<BlobContents> read_blob(std::span<const std::uint8_t> blob, const zone::Wire& owner,
                                     const zone::Wire& apex);

}  // namespace brink::dns::render
