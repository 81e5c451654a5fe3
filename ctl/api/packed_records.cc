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
  item.line = static_cast<std::uint32_t>(line);
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

std::string_view PackedRecords::name(const Item& item) const {
  return text(item.at + item.key_size, item.name_size);
}

std::string_view PackedRecords::content(const Item& item) const {
  return text(item.at + item.key_size + item.name_size, item.content_size);
}

std::span<const std::uint8_t> PackedRecords::rdata(const Item& item) const {
  const std::size_t before = item.key_size + item.name_size + item.content_size;
  return std::span(octets_).subspan(item.at + before, item.rdata_size);
}

Record PackedRecords::record(std::uint32_t index) const {
  const Item& item = items_[index];
  if (item.whole != 0) return whole_[item.whole - 1];
  Record record;
  const std::string_view owner = name(item);
  if (!owner.empty()) record.name = model::DomainName::parse(owner).value();  // else it is the root
  record.content = content(item);
  const auto data = rdata(item);
  record.rdata.assign(data.begin(), data.end());
  record.type = item.type;
  record.ttl = item.ttl;
  return record;
}

store::RecordView PackedRecords::view(std::uint32_t index) const {
  const Item& item = items_[index];
  if (item.whole == 0) return {name(item), item.type, item.ttl, false, {}, rdata(item)};
  const Record& record = whole_[item.whole - 1];
  return {record.name.text(), record.type,     record.ttl,
          record.proxied,     record.settings, record.rdata};
}

store::NewRecord PackedRecords::fresh(std::uint32_t index) const {
  const Item& item = items_[index];
  if (item.whole != 0) return {whole_[item.whole - 1], key(index)};
  store::NewRecord record;
  record.name = name(item);
  record.name_key = key(index);
  record.type = item.type;
  record.content = content(item);
  record.rdata = rdata(item);
  record.ttl = item.ttl;
  return record;
}

void PackedRecords::prefetch_octets(std::uint32_t index) const {
  constexpr std::size_t kLine = 64, kLines = 2;
  const std::uint8_t* const at = octets_.data() + items_[index].at;
  for (std::size_t line = 0; line < kLines; ++line) __builtin_prefetch(at + line * kLine);
}

}  // namespace brink::ctl::api
