// What an exported zone file says about a record behind its ';': "<comment>
// cf_tags=<tag>,<tag>...". The tags cf-proxied:true|false and cf-flatten-cname are settings of the
// record, not tags.
#pragma once

#include <string>
#include <string_view>

#include "ctl/model/record.h"

namespace brink::ctl::api {

// Empty when there is nothing to say.
std::string comment_of(const model::Record& record);

struct ParsedComment {
  std::string comment;
  std::vector<std::string> tags;
  std::optional<bool> proxied;
  bool flatten_cname = false;
};
ParsedComment parse_comment(std::string_view text);

}  // namespace brink::ctl::api
