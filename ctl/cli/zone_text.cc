#include "ctl/cli/zone_text.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

#include "ctl/model/zone_line.h"
#include "dns/zone/zone_file.h"

namespace brink::ctl::cli {
namespace {

using model::Record;

base::Result<Record> record_of(const dns::zone::ZoneFileRecord& line,
                               const model::DomainName& zone) {
  const auto octets = [](const dns::zone::Wire& wire) {
    return std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
  };
  auto owner = model::DomainName::from_wire(octets(line.record.owner));
  if (!owner) return base::Error{"malformed owner name", "", ""};
  if (!owner->is_within(zone)) {
    return base::Error{owner->text() + " is not in zone " + zone.text(), "",
                       "write a name below it, or change the zone it belongs to"};
  }
  Record record;
  record.name = *std::move(owner);
  record.type = line.record.type;
  const auto rdata = octets(line.record.rdata);
  record.rdata.assign(rdata.begin(), rdata.end());
  auto content = model::content_of(record.type, rdata);
  record.content = std::move(content.text);
  record.priority = content.priority;
  record.ttl = line.record.ttl;
  model::ParsedComment said = model::parse_comment(line.comment);
  record.proxied = said.proxied.value_or(false);
  record.comment = std::move(said.comment);
  record.tags = std::move(said.tags);
  record.settings.flatten_cname = said.flatten_cname;
  return record;
}

// The error of the parser, with what stands in the line that it names.
base::Error with_line(base::Error error, const std::string& text) {
  std::size_t number = 0;
  if (std::sscanf(error.where.c_str(), "line %zu", &number) != 1 || number == 0) return error;
  std::istringstream lines(text);
  std::string line;
  for (std::size_t i = 0; i < number; ++i) std::getline(lines, line);
  std::replace(line.begin(), line.end(), '\t', ' ');
  error.what = "\"" + line + "\": " + error.what;
  return error;
}

// Records that can stand for each other in a first, strict or a second, loose round.
bool has_same_place(const Record& a, const Record& b) {
  return a.type == b.type && a.name == b.name;
}

using Matches = bool (*)(const Record&, const Record&);
using Key = std::pair<std::string, model::RecordType>;

// Takes pairs that match out of both lists; the lists are left in their order.
std::vector<Replacement> take_pairs(Entries& before, Entries& after, Matches matches) {
  std::map<Key, std::vector<std::size_t>> at;
  for (std::size_t i = 0; i < after.size(); ++i) {
    at[{after[i].record.name.text(), after[i].record.type}].push_back(i);
  }
  std::vector<Replacement> pairs;
  std::vector<bool> is_taken(after.size());
  std::erase_if(before, [&](const Entry& old) {
    const auto found = at.find({old.record.name.text(), old.record.type});
    if (found == at.end()) return false;
    for (const std::size_t i : found->second) {
      if (is_taken[i] || !matches(old.record, after[i].record)) continue;
      is_taken[i] = true;
      pairs.push_back({old, after[i]});
      return true;
    }
    return false;
  });
  Entries left;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!is_taken[i]) left.push_back(std::move(after[i]));
  }
  after = std::move(left);
  return pairs;
}

void add_line(std::string& text, char mark, const Entry& entry, bool coloured) {
  std::string line = std::string(1, mark) + " " + line_of(entry);
  line.pop_back();
  if (coloured) line = (mark == '+' ? "\x1b[32m" : "\x1b[31m") + line + "\x1b[0m";
  text += line + "\n";
}

}  // namespace

base::Result<Entries> parse_zone_text(const std::string& text, const model::DomainName& zone) {
  Entries entries;
  const auto apex = zone.wire();
  const auto taken = dns::zone::parse_zone_file(
      text, {reinterpret_cast<const char*>(apex.data()), apex.size()}, model::kTtlAutomatic,
      [&](const dns::zone::ZoneFileRecord& line) -> base::Result<void> {
        auto record = record_of(line, zone);
        if (!record) return record.error();
        entries.push_back({std::move(record).value(), line.line});
        return {};
      });
  if (!taken) return with_line(taken.error(), text);
  return entries;
}

std::string line_of(const Entry& entry) {
  const Record& record = entry.record;
  return model::zone_line(record.name, record.ttl, record.type, record.rdata,
                          model::comment_of(record));
}

std::string text_of(const Entries& entries) {
  std::string text;
  for (const Entry& entry : entries) text += line_of(entry);
  return text;
}

bool is_same_record(const Record& a, const Record& b) {
  return has_same_place(a, b) && model::is_same_data(a.type, a.rdata, b.rdata);
}

bool is_equal(const Record& a, const Record& b) {
  return is_same_record(a, b) && a.ttl == b.ttl && a.proxied == b.proxied &&
         a.comment == b.comment && a.tags == b.tags &&
         a.settings.flatten_cname == b.settings.flatten_cname;
}

Difference difference(const Entries& before, const Entries& after) {
  Difference result{before, {}, after};
  take_pairs(result.removed, result.added, is_equal);
  result.changed = take_pairs(result.removed, result.added, is_same_record);
  for (auto& pair : take_pairs(result.removed, result.added, has_same_place)) {
    result.changed.push_back(std::move(pair));
  }
  return result;
}

std::string to_text(const Difference& difference, bool coloured) {
  std::string text;
  for (const Entry& entry : difference.removed) add_line(text, '-', entry, coloured);
  for (const Replacement& each : difference.changed) {
    add_line(text, '-', each.before, coloured);
    add_line(text, '+', each.after, coloured);
  }
  for (const Entry& entry : difference.added) add_line(text, '+', entry, coloured);
  return text;
}

}  // namespace brink::ctl::cli
