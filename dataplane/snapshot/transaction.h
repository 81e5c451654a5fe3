// A snapshot transaction as bytes: what the control process sends, the edge applies and the log
// keeps. Cold.
//
//   OFFSET SIZE MEANING
//   0      64   TransactionHeader
//   64     -    operations, not aligned:
//                 u8 kind, u8 flags, u16 RRsets, u8 name size, name (wire form), then
//                 put_zone: u32 serial, u32 size, the negative Blob, u32 size, its signed form, u8
//                   DenialKind, u16 iterations, u8 salt size, salt
//                 put_name: u32 size, route; for each RRset u16 type, u32 size, Blob, u32 size, its
//                   signed form
//                 put_denial: u32 size, Blob
//                 put_value: u32 size, value; its key, that of drop_value and the prefix of
//                   clear_values are where names are
//
// Host (little-endian) byte order. The bytes may come from anywhere: what does not decode is
// refused with the reason, and what decodes is checked by the Writer that it is applied to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::snapshot {

inline constexpr std::uint64_t kTransactionMagic = 0x314e5854'4b4e5242;  // "BRNKTXN1"

struct TransactionHeader {
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t crc32c;  // of all bytes, with this field zero
  std::uint64_t total_size_bytes;
  std::uint64_t from_version;  // what it changes: applied to nothing else
  std::uint64_t version;       // what it leads to; larger
  std::uint64_t created_unix_ns;
  std::uint32_t operation_count;
  std::uint32_t reserved;
  std::uint64_t token;  // of the version it leads to; layout.h
};
static_assert(sizeof(TransactionHeader) == 64);

// Collects operations. Names are taken as they come; the Writer judges them.
class TransactionEncoder : public ChangeSink {
 public:
  TransactionEncoder();

  base::Result<void> put_zone(Name apex, const ZoneContents& contents) override;
  base::Result<void> use_zone(Name apex) override;
  base::Result<void> drop_zone(Name apex) override;
  base::Result<void> put_name(Name name, const NameContents& contents) override;
  base::Result<void> drop_name(Name name) override;
  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override;
  base::Result<void> drop_denial(Name owner) override;
  base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) override;
  base::Result<void> drop_value(Key key) override;
  base::Result<void> clear_values(Key prefix) override;

  [[nodiscard]] std::uint32_t operation_count() const { return count_; }
  // The transaction; nothing may be called after it.
  std::vector<std::uint8_t> finish(std::uint64_t from_version, std::uint64_t version,
                                   std::uint64_t created_unix_ns, std::uint64_t token = 0);

 private:
  void start(std::uint8_t kind, std::uint8_t flags, std::size_t rrsets, Name name);
  void bytes(std::span<const std::uint8_t> bytes);
  void sized(std::span<const std::uint8_t> bytes);
  void u16(std::size_t value);
  void u32(std::size_t value);

  std::vector<std::uint8_t> out_;
  std::uint32_t count_ = 0;
};

// The header of the transaction that `bytes` starts with, if it is whole: magic, layout version,
// sizes and checksum fit. More bytes may follow it.
base::Result<TransactionHeader> read_transaction(std::span<const std::uint8_t> bytes);

// Applies a transaction step by step, so that a large one does not hold up its thread.
class TransactionDecoder {
 public:
  // `bytes` passed read_transaction(), has its header's size, and outlives the decoder.
  explicit TransactionDecoder(std::span<const std::uint8_t> bytes);

  // Puts up to `operations_max` into `sink`. True: there are more. An Error names the operation.
  base::Result<bool> apply(ChangeSink& sink, std::uint32_t operations_max);

  [[nodiscard]] std::uint32_t applied() const { return applied_; }

 private:
  void announce(ChangeSink& sink);
  bool skip(ChangeSink::Name& name);
  base::Result<void> apply_one(ChangeSink& sink);
  bool skip_bytes();
  base::Result<void> apply_zone(ChangeSink& sink, ChangeSink::Name apex);
  base::Result<void> apply_name(ChangeSink& sink, ChangeSink::Name name, std::uint8_t flags,
                                std::size_t rrsets);
  bool take(std::size_t size, std::span<const std::uint8_t>& out);
  template <typename T>
  bool take_integer(T& out);
  bool take_blob(std::vector<std::uint8_t>& out);

  std::span<const std::uint8_t> rest_;
  std::uint32_t count_;
  std::uint32_t applied_ = 0;
  std::uint32_t announced_ = 0;  // operations whose names the sink was told
  std::vector<Rrset> rrsets_;  // reused from name to name
  std::vector<std::uint8_t> blob_, signed_blob_;
};

}  // namespace brink::snapshot
