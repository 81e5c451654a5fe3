#include "ctl/store/row.h"

#include <algorithm>

#include "ctl/store/zone_settings.h"

namespace brink::ctl::store {
namespace {

constexpr std::int64_t kFlattenCname = 1, kIpv4Only = 2, kIpv6Only = 4;

std::vector<std::string> split_tags(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    tags.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tags;
}

}  // namespace

model::Id read_id(std::span<const std::uint8_t> blob) {
  model::Id id;
  CHECK(blob.size() == id.bytes.size());
  std::copy(blob.begin(), blob.end(), id.bytes.begin());
  return id;
}

std::optional<model::Timestamp> read_time(std::optional<std::int64_t> micros) {
  if (!micros) return std::nullopt;
  return model::Timestamp{*micros};
}

// Names are stored in canonical form, so reading one back cannot fail unless the file was edited.
model::DomainName read_name(std::string_view text) {
  auto name = model::DomainName::parse(text);
  if (!name) throw Failure("the store holds a name that is none: " + std::string(text));
  return std::move(name).value();
}

std::optional<std::int64_t> micros(const std::optional<model::Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->micros;
}

model::ZoneDns read_dns(std::string_view text) {
  auto dns = model::zone_dns_from_text(text);
  if (!dns) throw Failure("the store holds DNS settings that are none: " + std::string(text));
  return *std::move(dns);
}

model::ZoneDnssec read_dnssec(std::string_view text) {
  auto dnssec = model::zone_dnssec_from_text(text);
  if (!dnssec) throw Failure("the store holds a DNSSEC state that is none: " + std::string(text));
  return *dnssec;
}

std::string join_tags(std::span<const std::string> tags) {
  std::string text;
  for (const std::string& tag : tags) {
    if (!text.empty()) text += '\n';
    text += tag;
  }
  return text;
}

std::optional<TreeKey> NewTargets::of(model::RecordType type,
                                      std::span<const std::uint8_t> rdata) const {
  if (type != model::kTypeNs) return target_key(type, rdata);
  // Nearly all of many have another end, which is told without making a key.
  const auto is_same = [](std::uint8_t a, std::uint8_t b) {
    return a == (b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b);
  };
  if (rdata.size() < apex_.size() ||
      !std::equal(apex_.begin(), apex_.end(),
                  rdata.end() - static_cast<std::ptrdiff_t>(apex_.size()), is_same)) {
    return std::nullopt;
  }
  auto target = target_key(type, rdata);
  const bool is_within = target && target->size() >= key_.size() &&
                         std::equal(key_.begin(), key_.end(), target->begin());
  return is_within ? target : std::nullopt;
}

std::int64_t settings_bits(const model::RecordSettings& settings) {
  return (settings.flatten_cname ? kFlattenCname : 0) | (settings.ipv4_only ? kIpv4Only : 0) |
         (settings.ipv6_only ? kIpv6Only : 0);
}

model::RecordSettings read_settings(std::int64_t bits) {
  return {(bits & kFlattenCname) != 0, (bits & kIpv4Only) != 0, (bits & kIpv6Only) != 0};
}

model::Zone read_zone(const Statement& row, int first) {
  model::Zone zone;
  zone.row = row.integer(first);
  zone.id = read_id(row.blob(first + 1));
  zone.name = read_name(row.text(first + 2));
  zone.status = static_cast<model::ZoneStatus>(row.integer(first + 3));
  zone.type = static_cast<model::ZoneType>(row.integer(first + 4));
  zone.paused = row.integer(first + 5) != 0;
  zone.serial = static_cast<std::uint32_t>(row.integer(first + 6));
  if (!row.is_null(first + 8)) {
    const auto rdata = row.blob(first + 8);
    zone.soa = {static_cast<std::uint32_t>(row.integer(first + 7)), {rdata.begin(), rdata.end()}};
  }
  zone.created_on = {row.integer(first + 9)};
  zone.modified_on = {row.integer(first + 10)};
  zone.activated_on = read_time(row.optional_integer(first + 11));
  zone.account = read_id(row.blob(first + 12));
  zone.dns = read_dns(row.text(first + 13));
  zone.settings = split_settings(row.text(first + 14));
  zone.dnssec = read_dnssec(row.text(first + 15));
  return zone;
}

model::Record read_record(const Statement& row, int first) {
  model::Record record;
  record.row = row.integer(first);
  record.id = read_id(row.blob(first + 1));
  record.name = read_name(row.text(first + 2));
  record.type = static_cast<model::RecordType>(row.integer(first + 3));
  record.content = row.text(first + 4);
  if (!row.is_null(first + 5)) record.priority = static_cast<std::uint16_t>(row.integer(first + 5));
  const auto rdata = row.blob(first + 6);
  record.rdata.assign(rdata.begin(), rdata.end());
  record.ttl = static_cast<std::uint32_t>(row.integer(first + 7));
  record.proxied = row.integer(first + 8) != 0;
  record.comment = row.text(first + 9);
  record.tags = split_tags(row.text(first + 10));
  record.settings = read_settings(row.integer(first + 11));
  record.created_on = {row.integer(first + 12)};
  record.modified_on = {row.integer(first + 13)};
  record.comment_modified_on = read_time(row.optional_integer(first + 14));
  record.tags_modified_on = read_time(row.optional_integer(first + 15));
  return record;
}

ZoneDirectory::Zone directory_entry(const Statement& row) {
  return {row.integer(0), row.text(1), static_cast<model::ZoneStatus>(row.integer(2)),
          static_cast<model::ZoneType>(row.integer(3)), read_id(row.blob(4))};
}

}  // namespace brink::ctl::store
