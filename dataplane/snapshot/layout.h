// The image's byte layout: what the control process writes, the disk keeps and packet workers read.
//
// Position-independent; host (little-endian) byte order. A HeapRef is an offset from the heap's
// first byte divided by 8; 0 means "none". In memory each section is a region of its own that grows
// in place (image.h); in a file or a memfd they follow one another, each aligned to 128 bytes:
//
//   OFFSET                 SIZE                  MEANING
//   0                      4096                  ImageHeader
//   buckets_offset         bucket_count * 64     Bucket, a power of two of them
//   records_offset         record_count * 128    Record; record 0 is never used
//   zones_offset           zone_count * 8        Zone; zone 0 is "no zone"
//   heap_offset            heap_size             long names, RRsets, zone states, chains, tables, routes
//
// Versions. A name's bucket slot leads to its newest Record, and from there `previous` to older
// ones; a reader takes the first whose `birth` its generation has reached. So a transaction is
// written beside what is being read and becomes visible, whole, when the generation goes up by one.
// The same holds for the states of a zone. In a file there are no versions: `previous` is 0.
//
// What readers follow while the one writer changes it is marked [link]: 4 bytes, stored at once.
//
// Pinned by kLayoutVersion: base::keyed_hash (two AES rounds per 16 bytes) over the lower-case wire
// name, and therefore a CPU with AES and x86-64-v3. Change anything here, change the version.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/hash.h"

namespace brink::snapshot {

inline constexpr std::uint64_t kImageMagic = 0x31474d494b4e5242;  // "BRNKIMG1"
inline constexpr std::uint32_t kLayoutVersion = 7;
inline constexpr std::size_t kHeaderSize = 4096;
inline constexpr std::size_t kSectionAlignment = 128;

using HeapRef = std::uint32_t;
inline constexpr std::size_t kHeapUnit = 8;

// A name may sit at most this many buckets behind its home bucket; the writer grows the table
// rather than exceed it, verification refuses an image that does.
inline constexpr std::uint32_t kMaxProbes = 16;

struct ImageHeader {
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t crc32c;  // of the whole image with this field zero
  std::uint64_t total_size_bytes;
  std::uint64_t snapshot_version;
  base::HashKey hash_key;  // random per node, so that nobody can aim collisions
  std::uint64_t buckets_offset;
  std::uint64_t records_offset;
  std::uint64_t zones_offset;
  std::uint64_t heap_offset;
  std::uint64_t heap_size_bytes;
  std::uint32_t bucket_count;  // a power of two, 2 or more
  std::uint32_t record_count;  // including the unused record 0
  std::uint32_t zone_count;    // including the unused zone 0
  std::uint32_t name_count;    // names that some zone contains
  std::uint64_t created_unix_ns;
  // Drawn at random for each version by the store: tells whether two that have the same number are
  // the same.
  std::uint64_t snapshot_token;
};
static_assert(sizeof(ImageHeader) <= kHeaderSize);

// OFFSET SIZE MEANING
// 0      16   tags: bits 48-63 of the name hashes
// 16     32   [link] record indexes, each the newest of its name; 0 = free slot
// 48     4    [link] overflow: how many names whose home is this bucket or an earlier one sit behind
//             it; a search goes on with the next bucket unless it is 0
// 52     12   zero
struct alignas(64) Bucket {
  std::uint16_t tags[8];
  std::uint32_t records[8];
  std::uint32_t overflow;
  std::uint32_t reserved[3];
};
static_assert(sizeof(Bucket) == 64);

// Bits of Record::flags.
enum RecordFlag : std::uint16_t {
  kApex = 1,        // top of a zone
  kCut = 2,         // delegation: its NS set is a referral, nothing of its zone below it is here
  kEmpty = 4,       // owns nothing and belongs to no zone: is here because a name below it is
  kGone = 8,        // the name ceased to exist with this version; never in a file
  kAlias = 16,      // owns a CNAME
  kWildcard = 32,   // first label is "*"
  kLongName = 64,   // the name is in the heap, its HeapRef in the first 4 bytes of `area`
  kRedirect = 256,    // owns a DNAME
  kParentSide = 128,  // an apex whose DS set (or its absence) belongs to the served parent zone
};

inline constexpr std::size_t kRecordAreaSize = 80;
inline constexpr std::size_t kInlineNameMax = 48;

// One version of one name: two cache lines that hold all a hit needs.
//
// OFFSET SIZE MEANING
// 0      8    keyed hash of the lower-case wire name
// 8      1    wire size of the name, root label included
// 9      1    wire size of its zone's apex (0 for an empty name)
// 10     2    RecordFlag bits
// 12     2    type of the inline RRset; 0 = none
// 14     2    offset in `area` of the inline blob
// 16     4    zone index; 0 for an empty name
// 20     4    birth: the generation that sees this version first
// 24     4    record index of the version before; 0 = none
// 28     4    [link] newest record of the wildcard child "*.<name>"; 0 = none
// 32     4    HeapRef of the RrsetTable; 0 = none
// 36     4    HeapRef of the Route; 0 = not proxied
// 40     4    names directly below this one; the writer's own
// 44     4    zero
// 48     80   area: the lower-case wire name, then, at the next multiple of 8, the inline blob
struct alignas(128) Record {
  std::uint64_t name_hash;
  std::uint8_t name_size;
  std::uint8_t apex_size;
  std::uint16_t flags;
  std::uint16_t inline_type;
  std::uint16_t inline_offset;
  std::uint32_t zone;
  std::uint32_t birth;
  std::uint32_t previous;
  std::uint32_t wildcard;
  HeapRef rrsets;
  HeapRef route;
  std::uint32_t children;
  std::uint32_t reserved;
  std::uint8_t area[kRecordAreaSize];
};
static_assert(sizeof(Record) == 128);
static_assert(offsetof(Record, area) == 48);

// OFFSET SIZE MEANING
// 0      4    [link] HeapRef of the newest ZoneState; 0 = a free slot
// 4      4    names that belong to the zone; the writer's own
struct Zone {
  HeapRef state;
  std::uint32_t name_count;
};
static_assert(sizeof(Zone) == 8);

// What changes with every change of a zone.
//
// OFFSET SIZE MEANING
// 0      4    birth, as in Record
// 4      4    HeapRef of the state before; 0 = none
// 8      4    SOA serial
// 12     2    where the DenialChain is, in units of 8 bytes from here; 0 = the zone is not signed
//             and has no table
// 14     2    where the signed form of the negative answer is, likewise; 0 = there is none
// 16     2    where the denial of the apex's wildcard is, likewise; 0 = it does not stand here
// 18     2    where the negative answer is, likewise
// 20     4    zero
// 24     -    a DenialChain
//        -    where that says so, the Tree of the zone's table
//        -    a Blob: the SOA as negative answers carry it (RFC 2308 5), with its signatures
//        -    a free-standing Blob: that there is no wildcard right below the apex. The NSEC of the
//             apex and its signatures once more, if that says so; or the NSEC3 of the apex, and the
//             one that covers the wildcard's hash, with theirs, each once
//        -    a Blob: the SOA alone
//
// Each part starts at a multiple of 8. What an answer to a name that is not there takes out of a
// signed zone lies in one piece, but for what covers that very name.
struct ZoneState {
  std::uint32_t birth;
  HeapRef previous;
  std::uint32_t serial;
  std::uint16_t chain_units;
  std::uint16_t signed_units;
  std::uint16_t denial_units;
  std::uint16_t negative_units;
  std::uint32_t reserved;
};
static_assert(sizeof(ZoneState) == 24);

// How a zone proves that something is not there.
enum class DenialKind : std::uint8_t {
  kNone,   // it does not: the zone is not signed
  kNsec,   // RFC 4034 4
  kNsec3,  // RFC 5155
};
// More are work for every resolver that checks them (RFC 9276 3.1), and for us.
inline constexpr std::uint16_t kNsec3IterationsMax = 50;
// Digest and salt of an iteration then fit one block of SHA-1.
inline constexpr std::size_t kNsec3SaltMax = 32;

// A B+tree in one version. Its nodes and entries are blocks of the heap that other versions may
// share.
//
// OFFSET SIZE MEANING
// 0      4    HeapRef of the root DenialNode; 0 = no entries
// 4      4    entries
// 8      1    levels of nodes; 0 = no entries
// 9      3    zero
struct Tree {
  HeapRef root;
  std::uint32_t count;
  std::uint8_t height;
  std::uint8_t reserved[3];
};
static_assert(sizeof(Tree) == 12);

// The NSEC or NSEC3 records of a zone: a tree in the canonical order of their owners. A zone that
// is not signed but has a table has an empty one, of kNone.
//
// OFFSET SIZE MEANING
// 0      12   Tree
// 12     1    DenialKind
// 13     1    NSEC3: iterations
// 14     1    NSEC3: salt size
// 15     1    1 = the zone has a table, whose Tree follows the salt; else 0
// 16     -    salt
struct DenialChain : Tree {
  DenialKind kind;
  std::uint8_t iterations;
  std::uint8_t salt_size;
  std::uint8_t has_table;
};
static_assert(sizeof(DenialChain) == 16);

// The table of a zone: a tree of values by keys, for what is served to the zone's names other than
// DNS answers. Keys and values are octets that only l7 understands. There is none without entries.
inline constexpr std::size_t kTableKeyMax = 255;
// A value has a multiple of kHeapUnit octets, and not none.
inline constexpr std::size_t kTableValueMax = 0xffff * kHeapUnit - kTableKeyMax - 9;

// Entries or children of a node; a multiple of 4. Half as many, spread over two neighbours, become
// one.
inline constexpr std::uint32_t kDenialFanout = 24;
// Filled as they are, no heap has room for records of so many levels.
inline constexpr std::uint32_t kDenialHeightMax = 16;
// Octets of a key (denial.h): those of a name's labels, each at most doubled.
inline constexpr std::size_t kDenialKeyMax = 512;

// OFFSET SIZE MEANING
// 0      4    birth: the generation whose transaction made it, and may go on changing it
// 4      2    prefix size
// 6      1    n: slots, each an entry or, above the lowest level, a child
// 7      1    level; 0 = the lowest
// 8      -    prefix: octets that the keys of all slots start with; zeros to the next multiple of 8
//        8*m  heads: of each slot the 8 octets of its key behind the prefix, the first the most
//             significant, zeros behind the key's end; m is n, rounded up to a multiple of 4
//        4*m  HeapRefs of DenialEntry; of a child the first one in it
//        4*m  HeapRefs of the children; only above the lowest level
//
// Slots are sorted by key, and the key of a child is its first.
struct DenialNode {
  std::uint32_t birth;
  std::uint16_t prefix_size;
  std::uint8_t count;
  std::uint8_t level;
};
static_assert(sizeof(DenialNode) == 8);

// OFFSET SIZE MEANING
// 0      2    key size
// 2      2    size of the whole entry, in units of 8 bytes
// 4      -    key: of a chain that of a name (denial.h); zeros to the next multiple of 8
//        -    in a chain a free-standing Blob, padded to a multiple of 8; in a table a value
struct DenialEntry {
  std::uint16_t key_size;
  std::uint16_t size_units;
};
static_assert(sizeof(DenialEntry) == 4);

// The RRsets of a name that are not inline, in one block of the heap: this header, `count` entries
// sorted by type and form, then their blobs. A signed form is never inline, and is there only
// beside the plain one, which may be: who does not ask for signatures finds no other cache lines
// than if there were none.
//
// Names that own the same may lead to the same block. Where a name owns more besides, as a signed
// delegation does, an entry of its block leads out of it, to the blob of a block that holds no
// other. Blocks that are led to so lead to no further ones.
struct RrsetTable {
  std::uint16_t count;
  std::uint16_t owners;      // records and entries of other blocks that lead here; the writer's own
  std::uint32_t size_bytes;  // of the whole block
};
// The forms of an RRset: signed ones have it and its RRSIGs as one body, additional records with
// theirs.
inline constexpr std::uint16_t kPlainForm = 0;
inline constexpr std::uint16_t kSignedForm = 1;
struct RrsetEntry {
  std::uint16_t type;
  std::uint16_t form;
  std::uint32_t offset_units;  // HeapRef of the blob less that of this block, modulo 2^32
};
static_assert(sizeof(RrsetTable) == 8 && sizeof(RrsetEntry) == 8);

inline constexpr std::uint32_t kOwnersMax = 0xffff;
// Where the blob of a block that holds one is.
inline constexpr std::uint32_t kOnlyBlobUnits =
    (sizeof(RrsetTable) + sizeof(RrsetEntry)) / kHeapUnit;

// The entry leads out of its block...
constexpr bool is_elsewhere(const RrsetTable& table, const RrsetEntry& entry) {
  return std::uint64_t{entry.offset_units} * kHeapUnit >= table.size_bytes;
}
// ... to the blob of this one.
constexpr HeapRef block_elsewhere(HeapRef block, const RrsetEntry& entry) {
  return block + entry.offset_units - kOnlyBlobUnits;
}

// A Blob: one pre-rendered RRset with the additional records that go with it.
//
// OFFSET SIZE MEANING
// 0      2    body size: the RRset's records, each starting with the owner pointer C0 0C
// 2      2    required size: additional records without which the answer is useless (RFC 9471)
// 4      2    optional size: additional records that are left out when there is no room
// 6      2    records in the body
// 8      1    records in the required part
// 9      1    records in the optional part
// 10     1    fix-ups
// 11     1    target size: with a CNAME, the wire size of its target; else 0
// 12     -    body, required part, optional part; padded to a multiple of 2
//        4*n  fix-ups
//        -    target: the lower-case wire name
//
// A free-standing Blob is about names that no question has: each record of its body starts with an
// owner of its own, labels and then a pointer, C0 00 until its fix-up is written. That of the first
// record leads to the apex, those of others there or into the blob, to what stands before the
// record. It has no required and no optional part and no target.
struct BlobHeader {
  std::uint16_t body_size;
  std::uint16_t required_size;
  std::uint16_t optional_size;
  std::uint16_t body_count;
  std::uint8_t required_count;
  std::uint8_t optional_count;
  std::uint8_t fixup_count;
  std::uint8_t target_size;
};
static_assert(sizeof(BlobHeader) == 12);

// A compression pointer (RFC 1035 4.1.4) that can only be written once it is known where in the
// message the blob lands. `offset` and the target of kFixupBlob count from the body's first byte.
// Fix-ups are ordered by offset.
struct Fixup {
  std::uint16_t offset;
  std::uint16_t kind_and_target;  // two high bits: FixupKind; the rest: target
};
static_assert(sizeof(Fixup) == 4);

enum FixupKind : std::uint16_t {
  kFixupApex = 0x4000,  // points at the zone's apex within the question (or a chain's target)
  kFixupBlob = 0x8000,  // points into this blob
};
inline constexpr std::uint16_t kFixupKindMask = 0xc000;
inline constexpr std::uint16_t kFixupTargetMask = 0x3fff;
// A pointer reaches 0x3fff from the message's start; targets beyond this are not rendered.
inline constexpr std::uint16_t kFixupTargetMax = 0x2fff;

// A Route: size, then bytes that only l7 understands.
struct RouteHeader {
  std::uint32_t size_bytes;
  std::uint32_t reserved;
};
static_assert(sizeof(RouteHeader) == 8);

}  // namespace brink::snapshot
