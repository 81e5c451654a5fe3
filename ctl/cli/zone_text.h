// The records of a zone as lines of a zone file, and what differs between two states of it.
#pragma once

#include <string>
#include <vector>

#include "ctl/model/record.h"
#include "dataplane/base/result.h"

namespace brink::ctl::cli {

struct Entry {
  model::Record record;  // what a zone file says of one; its id is not known here
  std::size_t line = 0;  // of the text, from 1
};
using Entries = std::vector<Entry>;

// An Error names the line and the reason. Records that only the server can judge are not judged.
base::Result<Entries> parse_zone_text(const std::string& text, const model::DomainName& zone);

// "www.example.com.  1  IN  A  203.0.113.1 ; cf_tags=cf-proxied:true" and a line feed.
std::string line_of(const Entry& entry);
std::string text_of(const Entries& entries);

// Name, type and data: what makes a record another one than its neighbour.
bool is_same_record(const model::Record& a, const model::Record& b);
// All that a zone file says of it as well.
bool is_equal(const model::Record& a, const model::Record& b);

struct Replacement {
  Entry before, after;
};

// How to get from one state to another with the fewest records touched: what keeps its data is
// changed in place, then what keeps name and type; the rest goes or comes.
struct Difference {
  Entries removed;
  std::vector<Replacement> changed;
  Entries added;

  [[nodiscard]] bool empty() const { return removed.empty() && changed.empty() && added.empty(); }
};
Difference difference(const Entries& before, const Entries& after);

// "- line" and "+ line", in red and green if `coloured`.
std::string to_text(const Difference& difference, bool coloured);

}  // namespace brink::ctl::cli
