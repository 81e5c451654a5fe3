// A record as a line of a zone file, and what an exported one says about a record behind its ';':
// "<comment> cf_tags=<tag>,<tag>...". The tags cf-proxied:true|false and cf-flatten-cname are
// settings of the record, not tags.
#pragma once

#include <string>
#include <string_view>

#include "ctl/model/record.h"

namespace brink::ctl::model {

// "www.example.com. 300 IN A 203.0.113.1 ; <comment>" and a line feed, with tabs between fields.
std::string zone_line(const DomainName& owner, std::uint32_t ttl, RecordType type,
                      std::span<const std::uint8_t> rdata, const std::string& comment);

// The same with data in the form that any type has (RFC 3597 5).
std::string generic_zone_line(const DomainName& owner, std::uint32_t ttl, RecordType type,
                              std::span<const std::uint8_t> rdata, const std::string& comment);

// Empty when there is nothing to say.
std::string comment_of(const Record& record);

struct ParsedComment {
  std::string comment;
  std::vector<std::string> tags;
  std::optional<bool> proxied;
  bool flatten_cname = false;
};
ParsedComment parse_comment(std::string_view text);

}  // namespace brink::ctl::model
