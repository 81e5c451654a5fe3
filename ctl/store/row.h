// Rows of the tables `zones` and `records` to and from the model. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/key.h"
#include "ctl/store/sqlite.h"
#include "ctl/store/zone_directory.h"

namespace brink::ctl::store {

inline constexpr char kZoneColumns[] =
    "row, id, name, status, type, paused, serial, soa_ttl, soa_rdata, created_on, modified_on, "
    "activated_on, account, dns, settings, dnssec";
inline constexpr char kRecordColumns[] =
    "row, id, name, type, content, priority, rdata, ttl, proxied, comment, tags, settings, "
    "created_on, modified_on, comment_modified_on, tags_modified_on";

// A column of 16 octets.
model::Id read_id(std::span<const std::uint8_t> blob);
// A column for a time that may be absent.
std::optional<model::Timestamp> read_time(std::optional<std::int64_t> micros);

// Throws Failure when the text is no name in canonical form.
model::DomainName read_name(std::string_view text);

// Throws Failure when the text is none of to_text(ZoneDns).
model::ZoneDns read_dns(std::string_view text);
// Likewise of to_text(ZoneDnssec).
model::ZoneDnssec read_dnssec(std::string_view text);

// The current row of a statement that selects exactly these columns.
model::Zone read_zone(const Statement& statement, int first_column = 0);
model::Record read_record(const Statement& statement, int first_column = 0);

// Of "row, name, status, type, account". The name is good until the statement moves on.
ZoneDirectory::Zone directory_entry(const Statement& row);

// A column's value for a time that may be absent.
std::optional<std::int64_t> micros(const std::optional<model::Timestamp>& time);

// Tags as kept in one column, one a line.
std::string join_tags(std::span<const std::string> tags);

// The names that new records of a zone are indexed as pointing at. Name servers outside of the zone
// are nobody's target, see Store::pointers_to; a zone of delegations has hardly any others.
class NewTargets {
 public:
  explicit NewTargets(const model::DomainName& apex) : apex_(apex.wire()), key_(tree_key(apex)) {}

  [[nodiscard]] std::optional<TreeKey> of(model::RecordType type,
                                          std::span<const std::uint8_t> rdata) const;

 private:
  std::vector<std::uint8_t> apex_;  // wire form, in lower case
  TreeKey key_;
};

std::int64_t settings_bits(const model::RecordSettings& settings);
model::RecordSettings read_settings(std::int64_t bits);

}  // namespace brink::ctl::store
