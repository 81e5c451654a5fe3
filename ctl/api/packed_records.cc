#include "ctl/api/packed_records.h"

#include "ctl/store/key.h"

namespace brink::ctl::api {

using model::Record;

// Priority, comment, tags, settings and the proxy are rare where there are many records.
bool PackedRecords::is_packable(const Record& record) {
  return !record.priority && !record.proxied && record.comment.empty() && record.tags.empty() &&
         record.settings == model::RecordSettings{};
}

void PackedRecords::add(Record record, std::size_t line) {
  const auto append = [this](const auto& part) {
    octets_.insert(octets_.end(), part.begin(), part.end());
  };
  const store::TreeKey key = store::tree_key(record.name);
  Item item;
  item.at = octets_.size();
  item.line = line;
  item.key_size = static_cast<std::uint16_t>(key.size());
  append(key);
  if (is_packable(record)) {
    item.ttl = record.ttl;
    item.type = record.type;
    item.name_size = static_cast<std::uint16_t>(record.name.text().size());
    item.content_size = static_cast<std::uint32_t>(record.content.size());
    item.rdata_size = static_cast<std::uint16_t>(record.rdata.size());
    append(record.name.text());
    append(record.content);
    append(record.rdata);
  } else {
    whole_.push_back(std::move(record));
    item.whole = static_cast<std::uint32_t>(whole_.size());
  }
  items_.push_back(item);
}

void PackedRecords::clear() {
  items_.clear();
  octets_.clear();
  whole_.clear();
}

Record PackedRecords::take(std::uint32_t index) {
  const Item& item = items_[index];
  if (item.whole != 0) return std::move(whole_[item.whole - 1]);
  const auto* at = octets_.data() + item.at + item.key_size;
  const auto text = [&at](std::size_t size) {
    const std::string_view taken(reinterpret_cast<const char*>(at), size);
    at += size;
    return taken;
  };
  Record record;
  const std::string_view name = text(item.name_size);
  if (!name.empty()) record.name = model::DomainName::parse(name).value();  // else it is the root
  record.content = text(item.content_size);
  record.rdata.assign(at, at + item.rdata_size);
  record.type = item.type;
  record.ttl = item.ttl;
  return record;
}

void PackedRecords::prefetch_octets(std::uint32_t index) const {
  constexpr std::size_t kLine = 64, kLines = 2;
  const std::uint8_t* const at = octets_.data() + items_[index].at;
  for (std::size_t line = 0; line < kLines; ++line) __builtin_prefetch(at + line * kLine);
}

}  // namespace brink::ctl::api
