#include "ctl/cli/record_pending.h"

#include <algorithm>
#include <limits>

namespace brink::ctl::cli {
namespace {

using model::Record;

model::DomainName name_of_wish(const RecordWish& wish) {
  auto name = model::owner_name(wish.name, wish.zone);
  if (!name) throw Stop(Exit::kUsage, name.error().message);
  return std::move(name).value();
}

model::RecordType type_of(const RecordWish& wish) {
  const auto type = model::type_from_text(wish.type);
  if (!type)
    throw Stop(Exit::kUsage, "\"" + wish.type + "\" is no record type; write one as A or MX");
  return *type;
}

template <typename T>
T number_of(const Json& options, const char* name) {
  const auto value = options[name].get<std::uint64_t>();
  if (value <= std::numeric_limits<T>::max()) return static_cast<T>(value);
  throw Stop(Exit::kUsage, "--" + std::string(name) + "=" + std::to_string(value) +
                               " is too large: write " +
                               std::to_string(std::numeric_limits<T>::max()) + " at most");
}

// `record` with the content and options of the wish.
void apply(const RecordWish& wish, Record& record) {
  const Json& options = wish.options;
  if (wish.content) record.content = *wish.content;
  if (options.contains("priority")) record.priority = number_of<std::uint16_t>(options, "priority");
  if (model::has_priority(record.type) && !record.priority) {
    throw Stop(Exit::kUsage, wish.type + " records need --priority");
  }
  auto rdata =
      model::rdata_of(record.type, record.content,
                      model::has_priority(record.type) ? record.priority : std::nullopt, wish.zone);
  if (!rdata)
    throw Stop(Exit::kUsage, "content \"" + record.content + "\": " + rdata.error().detail());
  record.rdata = std::move(rdata).value();
  auto canonical = model::content_of(record.type, record.rdata);
  record.content = std::move(canonical.text);
  record.priority = canonical.priority;
  if (options.contains("ttl")) record.ttl = number_of<std::uint32_t>(options, "ttl");
  if (options.contains("proxied")) record.proxied = options["proxied"].get<bool>();
  if (record.proxied) record.ttl = model::kTtlAutomatic;
  if (options.contains("comment")) record.comment = options["comment"].get<std::string>();
  if (options.contains("settings")) {
    record.settings.flatten_cname = options["settings"]["flatten_cname"].get<bool>();
  }
}

bool is_meant(const Record& record, const model::DomainName& name, model::RecordType type) {
  return record.name == name && record.type == type;
}

void set_options(Entries& entries, const RecordWish& wish) {
  const auto name = name_of_wish(wish);
  const auto type = type_of(wish);
  bool is_found = false;
  for (Entry& entry : entries) {
    if (!is_meant(entry.record, name, type)) continue;
    apply(wish, entry.record);
    is_found = true;
  }
  if (is_found) return;
  throw Stop(Exit::kNotFound,
             name.text() + " has no " + wish.type + " record; give its content to create one");
}

}  // namespace

Entries with_added(Entries entries, const RecordWish& wish) {
  Entry entry;
  entry.record.name = name_of_wish(wish);
  entry.record.type = type_of(wish);
  apply(wish, entry.record);
  for (const Entry& other : entries) {
    if (is_same_record(other.record, entry.record)) {
      throw Stop(Exit::kRefused, "this record is there already; brinkctl record set changes it");
    }
  }
  entries.push_back(std::move(entry));
  return entries;
}

Entries with_set(Entries entries, const RecordWish& wish) {
  if (!wish.content) {
    set_options(entries, wish);
    return entries;
  }
  const auto name = name_of_wish(wish);
  const auto type = type_of(wish);
  Entry wanted;
  wanted.record.name = name;
  wanted.record.type = type;
  apply(wish, wanted.record);
  auto kept = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return is_same_record(entry.record, wanted.record);
  });
  if (kept == entries.end()) {
    kept = std::find_if(entries.begin(), entries.end(),
                        [&](const Entry& entry) { return is_meant(entry.record, name, type); });
  }
  if (kept == entries.end()) {
    entries.push_back(std::move(wanted));
    return entries;
  }
  apply(wish, kept->record);
  const Record only = kept->record;
  std::erase_if(entries, [&](const Entry& entry) {
    return is_meant(entry.record, name, type) && !is_same_record(entry.record, only);
  });
  return entries;
}

Entries with_removed(Entries entries, const RecordWish& wish) {
  const auto name = name_of_wish(wish);
  std::optional<model::RecordType> type;
  if (!wish.type.empty()) type = type_of(wish);
  const std::size_t gone = std::erase_if(entries, [&](const Entry& entry) {
    const Record& record = entry.record;
    return record.name == name && record.type != model::kTypeSoa &&
           (!type || record.type == *type) && (!wish.content || record.content == *wish.content);
  });
  if (gone == 0) throw Stop(Exit::kNotFound, "there are no such records at " + name.text());
  return entries;
}

}  // namespace brink::ctl::cli
