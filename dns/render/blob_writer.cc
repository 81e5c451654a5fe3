#include "dns/render/blob_writer.h"

#include <cstring>

#include "dns/zone/text.h"

namespace brink::dns::render {
namespace {

using snapshot::BlobHeader;
using snapshot::Fixup;

// Fix-ups that the body leaves over for the owners of additional records.
constexpr std::size_t kBodyFixupMax = 190;
constexpr std::size_t kFixupMax = 255;
constexpr std::size_t kAdditionalMax = 255;
// A message has 65,535 octets; header, longest question and OPT take at most 12 + 259 + 11.
constexpr std::size_t kBlobMax = 65535 - 282;

std::size_t name_size_at(const zone::Wire& rdata, std::size_t at) {
  const std::size_t start = at;
  while (at < rdata.size()) {
    const auto length = static_cast<unsigned char>(rdata[at]);
    at += 1U + length;
    if (length == 0) return at - start;
  }
  return 0;
}

}  // namespace

NameFields name_fields(std::uint16_t type) {
  switch (type) {
    case 2:  // NS
      return {0, 1, true, true};
    case 5:   // CNAME
    case 7:   // MB
    case 8:   // MG
    case 9:   // MR
    case 12:  // PTR
      return {0, 1, true, false};
    case 6:   // SOA
    case 14:  // MINFO
      return {0, 2, true, false};
    case 15:  // MX
      return {2, 1, true, true};
    case 33:  // SRV
      return {6, 1, false, true};
    case 64:  // SVCB
    case 65:  // HTTPS; RFC 9460 4.1
      return {2, 1, false, true};
    default:
      return {};
  }
}

void BlobWriter::u16(std::size_t value) {
  data_.push_back(static_cast<std::uint8_t>(value >> 8));
  data_.push_back(static_cast<std::uint8_t>(value));
}

void BlobWriter::u32(std::uint32_t value) {
  u16(value >> 16);
  u16(value & 0xffff);
}

void BlobWriter::add_body(const zone::Rrset& set, bool with_signatures) {
  const auto add = [this, &set](std::uint16_t type, const std::vector<zone::Wire>& records) {
    for (const zone::Wire& rdata : records) {
      u16(0xc00c);
      add_record(type, set.ttl, rdata);
      ++body_count_;
    }
  };
  add(set.type, set.rdata);
  if (with_signatures) add(zone::kTypeRrsig, set.signatures);
  body_size_ = data_.size();
}

void BlobWriter::add_free_record(const zone::Wire& owner, std::uint16_t type, std::uint32_t ttl,
                                 const zone::Wire& rdata) {
  write_name(owner, true);
  add_record(type, ttl, rdata);
  ++body_count_;
}

void BlobWriter::add_free_body(const zone::Wire& owner, const zone::Rrset& set) {
  for (const zone::Wire& rdata : set.rdata) add_free_record(owner, set.type, set.ttl, rdata);
  for (const zone::Wire& rdata : set.signatures) {
    add_free_record(owner, zone::kTypeRrsig, set.ttl, rdata);
  }
  body_size_ = data_.size();
}

// Everything behind the owner.
void BlobWriter::add_record(std::uint16_t type, std::uint32_t ttl, const zone::Wire& rdata) {
  u16(type);
  u16(1);
  u32(ttl);
  const std::size_t length_at = data_.size();
  u16(0);
  const NameFields fields = name_fields(type);
  std::size_t at = fields.offset;
  if (rdata.size() < at) at = rdata.size();
  data_.insert(data_.end(), rdata.begin(), rdata.begin() + static_cast<std::ptrdiff_t>(at));
  for (std::uint8_t i = 0; i < fields.count; ++i) {
    const std::size_t size = name_size_at(rdata, at);
    if (size == 0) break;
    write_name(std::string_view(rdata).substr(at, size), fields.compressible);
    at += size;
  }
  data_.insert(data_.end(), rdata.begin() + static_cast<std::ptrdiff_t>(at), rdata.end());
  const std::size_t size = data_.size() - length_at - 2;
  data_[length_at] = static_cast<std::uint8_t>(size >> 8);
  data_[length_at + 1] = static_cast<std::uint8_t>(size);
}

const BlobWriter::Position* BlobWriter::find(std::string_view lower_suffix) const {
  for (const Position& position : positions_) {
    if (position.size != lower_suffix.size()) continue;
    if (std::string_view(names_).substr(position.at, position.size) == lower_suffix) {
      return &position;
    }
  }
  return nullptr;
}

// Emits a pointer to a name that is the apex or stands earlier in the blob; false if there is none.
bool BlobWriter::pointer_to(std::string_view lower_suffix) {
  if (fixups_.size() >= kFixupMax || data_.size() > 0xffff) return false;
  std::uint16_t what = snapshot::kFixupApex;
  if (lower_suffix != apex_) {
    const Position* position = find(lower_suffix);
    if (position == nullptr) return false;
    what = static_cast<std::uint16_t>(snapshot::kFixupBlob | position->offset);
  }
  fixups_.push_back({static_cast<std::uint16_t>(data_.size()), what});
  u16(0xc000);
  return true;
}

void BlobWriter::write_name(std::string_view name, bool compress) {
  const std::size_t start = names_.size();
  names_ += zone::lower_name(zone::Wire(name));
  std::size_t at = 0;
  while (name[at] != 0) {
    const auto suffix = std::string_view(names_).substr(start + at);
    if (compress && fixups_.size() < kBodyFixupMax && pointer_to(suffix)) return;
    if (data_.size() <= snapshot::kFixupTargetMax && find(suffix) == nullptr) {
      positions_.push_back({static_cast<std::uint32_t>(start + at),
                            static_cast<std::uint16_t>(suffix.size()),
                            static_cast<std::uint16_t>(data_.size())});
    }
    const std::size_t next = at + 1U + static_cast<unsigned char>(name[at]);
    data_.insert(data_.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                 name.begin() + static_cast<std::ptrdiff_t>(next));
    at = next;
  }
  data_.push_back(0);
}

void BlobWriter::add_additional(const zone::Wire& owner, const zone::Rrset& set, bool required,
                                bool with_signatures) {
  CHECK(body_count_ > 0 && !(required && optional_count_ > 0));
  std::size_t& count = required ? required_count_ : optional_count_;
  const std::size_t records = set.rdata.size() + (with_signatures ? set.signatures.size() : 0);
  if (count + records > kAdditionalMax) return;
  const std::size_t data_size = data_.size(), fixup_count = fixups_.size();
  const auto add = [&](std::uint16_t type, const std::vector<zone::Wire>& data) {
    for (const zone::Wire& rdata : data) {
      if (!pointer_to(zone::lower_name(owner))) return false;
      add_record(type, set.ttl, rdata);
      if (data_.size() > kBlobMax) return false;
    }
    return true;
  };
  if (!add(set.type, set.rdata) || (with_signatures && !add(zone::kTypeRrsig, set.signatures))) {
    data_.resize(data_size);  // RFC 2181 9: the whole set or nothing of it
    fixups_.resize(fixup_count);
    return;
  }
  count += records;
  if (required) required_size_ = data_.size() - body_size_;
}

base::Result<std::vector<std::uint8_t>> BlobWriter::finish() const {
  if (data_.size() > kBlobMax) {
    return base::Error{"the record set has " + std::to_string(data_.size()) +
                           " octets, a DNS message holds at most " + std::to_string(kBlobMax),
                       "", "remove records of this name and type"};
  }
  BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(body_size_);
  header.required_size = static_cast<std::uint16_t>(required_size_);
  header.optional_size = static_cast<std::uint16_t>(data_.size() - body_size_ - required_size_);
  header.body_count = static_cast<std::uint16_t>(body_count_);
  header.required_count = static_cast<std::uint8_t>(required_count_);
  header.optional_count = static_cast<std::uint8_t>(optional_count_);
  header.fixup_count = static_cast<std::uint8_t>(fixups_.size());
  header.target_size = static_cast<std::uint8_t>(target_.size());

  std::vector<std::uint8_t> blob(sizeof header);
  std::memcpy(blob.data(), &header, sizeof header);
  blob.insert(blob.end(), data_.begin(), data_.end());
  if (blob.size() % 2 != 0) blob.push_back(0);
  const auto* fixups = reinterpret_cast<const std::uint8_t*>(fixups_.data());
  blob.insert(blob.end(), fixups, fixups + fixups_.size() * sizeof(Fixup));
  blob.insert(blob.end(), target_.begin(), target_.end());
  return blob;
}

}  // namespace brink::dns::render
