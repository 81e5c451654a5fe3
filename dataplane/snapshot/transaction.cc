#include "dataplane/snapshot/transaction.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/name_text.h"

namespace brink::snapshot {
namespace {

enum Kind : std::uint8_t {
  kPutZone = 1,
  kUseZone,
  kDropZone,
  kPutName,
  kDropName,
  kPutDenial,
  kDropDenial,
  kPutValue,
  kDropValue,
  kClearValues
};
constexpr std::uint8_t kFlagCut = 1;
constexpr std::uint8_t kFlagParentSide = 2;
constexpr std::size_t kCrcOffset = offsetof(TransactionHeader, crc32c);

base::Error bad(const std::string& what) {
  return {what, "transaction", "publish with brink-control of the same release"};
}

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint8_t head[sizeof(TransactionHeader)];
  std::memcpy(head, bytes.data(), sizeof head);
  std::memset(head + kCrcOffset, 0, sizeof(std::uint32_t));
  return crc32c(head, bytes.subspan(sizeof head));
}

}  // namespace

TransactionEncoder::TransactionEncoder() : out_(sizeof(TransactionHeader)) {}

void TransactionEncoder::bytes(std::span<const std::uint8_t> bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void TransactionEncoder::u16(std::size_t value) {
  const auto narrow = static_cast<std::uint16_t>(value);
  CHECK(narrow == value);
  bytes({reinterpret_cast<const std::uint8_t*>(&narrow), sizeof narrow});
}

void TransactionEncoder::u32(std::size_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  CHECK(narrow == value);
  bytes({reinterpret_cast<const std::uint8_t*>(&narrow), sizeof narrow});
}

void TransactionEncoder::sized(std::span<const std::uint8_t> content) {
  u32(content.size());
  bytes(content);
}

void TransactionEncoder::start(std::uint8_t kind, std::uint8_t flags, std::size_t rrsets,
                               Name name) {
  CHECK(name.size() <= 255);
  ++count_;
  out_.push_back(kind);
  out_.push_back(flags);
  u16(rrsets);
  out_.push_back(static_cast<std::uint8_t>(name.size()));
  bytes(name);
}

base::Result<void> TransactionEncoder::put_zone(Name apex, const ZoneContents& contents) {
  const Denial& denial = contents.denial;
  if (denial.salt.size() > kNsec3SaltMax) {
    return base::Error{"its NSEC3 salt has more than " + std::to_string(kNsec3SaltMax) + " octets",
                       "name " + name_text(apex), "use a shorter one, or none"};
  }
  start(kPutZone, 0, 0, apex);
  u32(contents.serial);
  sized(contents.negative);
  sized(contents.signed_negative);
  out_.push_back(static_cast<std::uint8_t>(denial.kind));
  u16(denial.iterations);
  out_.push_back(static_cast<std::uint8_t>(denial.salt.size()));
  bytes(denial.salt);
  return {};
}

base::Result<void> TransactionEncoder::use_zone(Name apex) {
  start(kUseZone, 0, 0, apex);
  return {};
}

base::Result<void> TransactionEncoder::drop_zone(Name apex) {
  start(kDropZone, 0, 0, apex);
  return {};
}

base::Result<void> TransactionEncoder::put_name(Name name, const NameContents& contents) {
  const auto flags = static_cast<std::uint8_t>((contents.cut ? kFlagCut : 0) |
                                               (contents.parent_side ? kFlagParentSide : 0));
  start(kPutName, flags, contents.rrsets.size(), name);
  sized(contents.route);
  for (const Rrset& set : contents.rrsets) {
    u16(set.type);
    sized(set.blob);
    sized(set.signed_blob);
  }
  return {};
}

base::Result<void> TransactionEncoder::drop_name(Name name) {
  start(kDropName, 0, 0, name);
  return {};
}

base::Result<void> TransactionEncoder::put_denial(Name owner, std::span<const std::uint8_t> blob) {
  start(kPutDenial, 0, 0, owner);
  sized(blob);
  return {};
}

base::Result<void> TransactionEncoder::drop_denial(Name owner) {
  start(kDropDenial, 0, 0, owner);
  return {};
}

base::Result<void> TransactionEncoder::put_value(Key key, std::span<const std::uint8_t> value) {
  start(kPutValue, 0, 0, key);
  sized(value);
  return {};
}

base::Result<void> TransactionEncoder::drop_value(Key key) {
  start(kDropValue, 0, 0, key);
  return {};
}

base::Result<void> TransactionEncoder::clear_values(Key prefix) {
  start(kClearValues, 0, 0, prefix);
  return {};
}

std::vector<std::uint8_t> TransactionEncoder::finish(std::uint64_t from_version,
                                                     std::uint64_t version,
                                                     std::uint64_t created_unix_ns,
                                                     std::uint64_t token) {
  TransactionHeader header{};
  header.magic = kTransactionMagic;
  header.layout_version = kLayoutVersion;
  header.total_size_bytes = out_.size();
  header.from_version = from_version;
  header.version = version;
  header.created_unix_ns = created_unix_ns;
  header.operation_count = count_;
  header.token = token;
  std::memcpy(out_.data(), &header, sizeof header);
  header.crc32c = checksum(out_);
  std::memcpy(out_.data(), &header, sizeof header);
  return std::move(out_);
}

base::Result<TransactionHeader> read_transaction(std::span<const std::uint8_t> bytes) {
  TransactionHeader header;
  if (bytes.size() < sizeof header) return bad("it is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kTransactionMagic) return bad("it is not a transaction (magic)");
  if (header.layout_version != kLayoutVersion) {
    return base::Error{"layout version " + std::to_string(header.layout_version) +
                           ", this program reads " + std::to_string(kLayoutVersion),
                       "transaction", "use programs of the same release"};
  }
  if (header.total_size_bytes < sizeof header || header.total_size_bytes > bytes.size()) {
    return bad("it has " + std::to_string(bytes.size()) + " bytes, its header says " +
               std::to_string(header.total_size_bytes));
  }
  if (checksum(bytes.first(header.total_size_bytes)) != header.crc32c) {
    return bad("its checksum does not fit");
  }
  if (header.version <= header.from_version) {
    return bad("it leads from version " + std::to_string(header.from_version) + " to " +
               std::to_string(header.version));
  }
  return header;
}

TransactionDecoder::TransactionDecoder(std::span<const std::uint8_t> bytes)
    : rest_(bytes.subspan(sizeof(TransactionHeader))) {
  TransactionHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  CHECK(header.total_size_bytes == bytes.size());
  count_ = header.operation_count;
}

bool TransactionDecoder::take(std::size_t size, std::span<const std::uint8_t>& out) {
  if (size > rest_.size()) return false;
  out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return true;
}

template <typename T>
bool TransactionDecoder::take_integer(T& out) {
  std::span<const std::uint8_t> bytes;
  if (!take(sizeof out, bytes)) return false;
  std::memcpy(&out, bytes.data(), sizeof out);
  return true;
}

// A copy, since blobs are aligned and these bytes are not.
bool TransactionDecoder::take_blob(std::vector<std::uint8_t>& out) {
  std::uint32_t size;
  std::span<const std::uint8_t> bytes;
  if (!take_integer(size) || !take(size, bytes)) return false;
  out.assign(bytes.begin(), bytes.end());
  return true;
}

base::Result<bool> TransactionDecoder::apply(ChangeSink& sink, std::uint32_t operations_max) {
  for (std::uint32_t i = 0; i < operations_max && applied_ < count_; ++i, ++applied_) {
    if (applied_ >= announced_) announce(sink);
    if (auto applied = apply_one(sink); !applied) {
      base::Error error = applied.error();
      error.where = "operation " + std::to_string(applied_ + 1) +
                    (error.where.empty() ? "" : ", " + error.where);
      return error;
    }
  }
  if (applied_ < count_) return true;
  if (!rest_.empty()) return bad("there are bytes behind the last operation");
  return false;
}

// What does not decode ends it, and is refused when its turn comes.
void TransactionDecoder::announce(ChangeSink& sink) {
  ChangeSink::Name names[ChangeSink::kExpectedMax];
  std::size_t count = 0;
  const std::span<const std::uint8_t> here = rest_;
  while (count < std::size(names) && applied_ + count < count_ && skip(names[count])) ++count;
  rest_ = here;
  announced_ = applied_ + static_cast<std::uint32_t>(std::max<std::size_t>(count, 1));
  sink.expect({names, count});
}

bool TransactionDecoder::skip_bytes() {
  std::uint32_t size;
  std::span<const std::uint8_t> bytes;
  return take_integer(size) && take(size, bytes);
}

bool TransactionDecoder::skip(ChangeSink::Name& name) {
  std::uint8_t kind, flags, name_size, denial, salt_size;
  std::uint16_t rrsets, type, iterations;
  std::uint32_t serial;
  std::span<const std::uint8_t> salt;
  if (!take_integer(kind) || !take_integer(flags) || !take_integer(rrsets) ||
      !take_integer(name_size) || !take(name_size, name)) {
    return false;
  }
  switch (kind) {
    case kPutZone:
      return take_integer(serial) && skip_bytes() && skip_bytes() && take_integer(denial) &&
             take_integer(iterations) && take_integer(salt_size) && take(salt_size, salt);
    case kPutName:
      if (!skip_bytes()) return false;
      for (; rrsets > 0; --rrsets) {
        if (!take_integer(type) || !skip_bytes() || !skip_bytes()) return false;
      }
      return true;
    case kPutDenial:
      return skip_bytes();
    case kPutValue:
      name = {};  // it is none
      return skip_bytes();
    case kDropValue:
    case kClearValues:
      name = {};
      return true;
    default:
      return true;
  }
}

base::Result<void> TransactionDecoder::apply_one(ChangeSink& sink) {
  std::uint8_t kind, flags, name_size;
  std::uint16_t rrsets;
  ChangeSink::Name name;
  if (!take_integer(kind) || !take_integer(flags) || !take_integer(rrsets) ||
      !take_integer(name_size) || !take(name_size, name)) {
    return bad("it is cut short");
  }
  if (kind != kPutName && (flags != 0 || rrsets != 0)) return bad("it has flags it cannot have");
  switch (kind) {
    case kPutZone:
      return apply_zone(sink, name);
    case kUseZone:
      return sink.use_zone(name);
    case kDropZone:
      return sink.drop_zone(name);
    case kPutName:
      return apply_name(sink, name, flags, rrsets);
    case kDropName:
      return sink.drop_name(name);
    case kPutDenial:
      if (!take_blob(blob_)) return bad("it is cut short");
      return sink.put_denial(name, blob_);
    case kDropDenial:
      return sink.drop_denial(name);
    case kPutValue:
      if (!take_blob(blob_)) return bad("it is cut short");
      return sink.put_value(name, blob_);
    case kDropValue:
      return sink.drop_value(name);
    case kClearValues:
      return sink.clear_values(name);
    default:
      return bad("it is of the unknown kind " + std::to_string(kind));
  }
}

base::Result<void> TransactionDecoder::apply_zone(ChangeSink& sink, ChangeSink::Name apex) {
  ZoneContents contents;
  std::uint8_t kind, salt_size;
  if (!take_integer(contents.serial) || !take_blob(blob_) || !take_blob(signed_blob_) ||
      !take_integer(kind) || !take_integer(contents.denial.iterations) ||
      !take_integer(salt_size) || !take(salt_size, contents.denial.salt)) {
    return bad("it is cut short");
  }
  if (kind > static_cast<std::uint8_t>(DenialKind::kNsec3)) {
    return bad("its zone has a chain of the unknown kind " + std::to_string(kind));
  }
  contents.denial.kind = static_cast<DenialKind>(kind);
  contents.negative = blob_;
  contents.signed_negative = signed_blob_;
  return sink.put_zone(apex, contents);
}

base::Result<void> TransactionDecoder::apply_name(ChangeSink& sink, ChangeSink::Name name,
                                                  std::uint8_t flags, std::size_t rrsets) {
  if ((flags & ~(kFlagCut | kFlagParentSide)) != 0) return bad("it has unknown flags");
  NameContents contents;
  contents.cut = (flags & kFlagCut) != 0;
  contents.parent_side = (flags & kFlagParentSide) != 0;
  std::uint32_t size;
  if (!take_integer(size) || !take(size, contents.route)) return bad("its route is cut short");
  rrsets_.resize(std::max(rrsets_.size(), rrsets));
  for (std::size_t i = 0; i < rrsets; ++i) {
    Rrset& set = rrsets_[i];
    if (!take_integer(set.type) || !take_blob(set.blob) || !take_blob(set.signed_blob)) {
      return bad("an RRset is cut short");
    }
  }
  contents.rrsets = std::span(rrsets_).first(rrsets);
  return sink.put_name(name, contents);
}

}  // namespace brink::snapshot
