#include "ctl/cli/zone_state.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

using model::Record;

const Entry* find_soa(const Entries& entries) {
  const auto found = std::find_if(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.record.type == model::kTypeSoa;
  });
  return found == entries.end() ? nullptr : &*found;
}

// Without its line feed, and blanks for tabs.
std::string bare_line(const Entry& entry) {
  std::string line = line_of(entry);
  line.pop_back();
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

Entries without_serial(Entries entries) {
  for (Entry& entry : entries) {
    const bool is_soa = entry.record.type == model::kTypeSoa;
    if (is_soa && entry.record.rdata.size() > model::kSoaFixedSize) {
      model::set_soa_serial(entry.record.rdata, 0);
    }
  }
  return entries;
}

// The SOA line shows the serial; nobody writes it.
void refuse_soa(const Difference& change) {
  const auto is_soa = [](const Entry& entry) { return entry.record.type == model::kTypeSoa; };
  const bool touched = std::any_of(change.removed.begin(), change.removed.end(), is_soa) ||
                       std::any_of(change.added.begin(), change.added.end(), is_soa) ||
                       std::any_of(change.changed.begin(), change.changed.end(),
                                   [&](const Replacement& each) { return is_soa(each.before); });
  if (!touched) return;
  throw Stop(Exit::kRefused,
             "the SOA record cannot be changed here; leave its line as it is and use brinkctl "
             "settings set ZONE dns.soa");
}

// Only what differs, so that what a zone file does not tell stays.
Json patch_of(const Replacement& each) {
  const Json before = members_of(each.before.record), after = members_of(each.after.record);
  Json patch = Json::object();
  for (const auto& [name, value] : after.items()) {
    if (before.value(name, Json()) != value) patch[name] = value;
  }
  return patch;
}

// The ids of the zone's records by name, type and data.
class Ids {
 public:
  Ids(Session& session, const ZoneState& zone) {
    for (const Json& json : session.list("/client/v4/zones/" + zone.id + "/dns_records")) {
      const auto name = model::DomainName::parse(json.value("name", ""));
      const auto type = model::type_from_text(json.value("type", ""));
      if (!name || !type) continue;
      std::optional<std::uint16_t> priority;
      if (json.contains("priority")) priority = json["priority"].get<std::uint16_t>();
      auto rdata = model::rdata_of(*type, json.value("content", ""), priority, zone.name);
      if (!rdata) continue;
      ids_[{name.value().text(), *type, std::move(rdata).value()}] = json.value("id", "");
    }
  }

  // Empty: there is none.
  [[nodiscard]] std::string of(const Record& record) const {
    const auto found = ids_.find({record.name.text(), record.type, record.rdata});
    return found == ids_.end() ? "" : found->second;
  }

 private:
  std::map<std::tuple<std::string, model::RecordType, model::Rdata>, std::string> ids_;
};

struct Batch {
  Json body;
  std::map<std::string, Entry> entries;  // "posts[3]" -> what it is for
};

// Puts a difference into the lists of a batch. The name servers that a zone is assigned stand in
// its zone file, but are no records of it, unless it has others besides (as in an import).
class BatchMaker {
 public:
  BatchMaker(const ZoneState& zone, const Ids& ids) : zone_(zone), ids_(ids) {}

  Batch make(const Difference& change, const Entries& wanted) {
    for (const Entry& entry : change.removed) remove(entry, wanted);
    for (const Replacement& each : change.changed) replace(each);
    for (const Entry& entry : change.added) post(entry);
    if (has_own_servers_) {
      for (const Entry& entry : wanted) {
        if (is_assigned(entry) && !posted_.count(entry.line)) post(entry);
      }
    }
    batch_.body = {{"if_serial", zone_.serial},
                   {"deletes", std::move(deletes_)},
                   {"patches", std::move(patches_)},
                   {"posts", std::move(posts_)}};
    return std::move(batch_);
  }

 private:
  [[nodiscard]] bool is_apex_ns(const Entry& entry) const {
    return entry.record.type == model::kTypeNs && entry.record.name == zone_.name;
  }
  [[nodiscard]] bool is_assigned(const Entry& entry) const {
    return is_apex_ns(entry) && ids_.of(entry.record).empty();
  }

  void remove(const Entry& entry, const Entries& wanted) {
    if (!is_assigned(entry)) return deletes_.push_back({{"id", id_of(entry)}});
    const bool has_others = std::any_of(wanted.begin(), wanted.end(),
                                        [&](const Entry& other) { return is_apex_ns(other); });
    if (has_others) return;
    throw Stop(Exit::kRefused,
               "the zone would have no name servers; leave the lines of the assigned ones");
  }

  void replace(const Replacement& each) {
    if (is_assigned(each.before)) return post(each.after);
    Json patch = {{"id", id_of(each.before)}};
    patch.update(patch_of(each));
    batch_.entries["patches[" + std::to_string(patches_.size()) + "]"] = each.after;
    patches_.push_back(std::move(patch));
  }

  void post(const Entry& entry) {
    has_own_servers_ = has_own_servers_ || is_apex_ns(entry);
    batch_.entries["posts[" + std::to_string(posts_.size()) + "]"] = entry;
    posted_.insert(entry.line);
    posts_.push_back(members_of(entry.record));
  }

  std::string id_of(const Entry& entry) const {
    std::string id = ids_.of(entry.record);
    if (!id.empty()) return id;
    throw Stop(Exit::kRefused,
               "the server has no record \"" + bare_line(entry) + "\" any more; try again");
  }

  const ZoneState& zone_;
  const Ids& ids_;
  Batch batch_;
  Json deletes_ = Json::array(), patches_ = Json::array(), posts_ = Json::array();
  bool has_own_servers_ = false;
  std::set<std::size_t> posted_;
};

// "posts[3]: why" as "FILE, line 17: why", or without a file as "www.example.com. ...: why".
std::string with_place(const Batch& batch, const std::string& reason, const std::string& file) {
  const std::size_t colon = reason.find(": ");
  const auto found = batch.entries.find(reason.substr(0, colon));
  if (found == batch.entries.end() || colon == std::string::npos) return reason;
  const Entry& entry = found->second;
  const std::string place =
      file.empty() ? bare_line(entry) : file + ", line " + std::to_string(entry.line);
  return place + reason.substr(colon);
}

}  // namespace

Json members_of(const Record& record) {
  Json json = {{"name", record.name.text() + "."},
               {"type", model::type_to_text(record.type)},
               {"content", record.content},
               {"ttl", record.ttl},
               {"proxied", record.proxied},
               {"comment", record.comment},
               {"tags", record.tags}};
  if (record.priority) json["priority"] = *record.priority;
  if (record.type == model::kTypeCname) {
    json["settings"] = {{"flatten_cname", record.settings.flatten_cname}};
  }
  return json;
}

ZoneState zone_from_text(const std::string& id, const std::string& name, std::string text) {
  ZoneState zone;
  zone.id = id;
  auto parsed = model::DomainName::parse(name);
  if (!parsed) throw Stop(Exit::kRefused, name + " is no zone's name");
  zone.name = std::move(parsed).value();
  zone.text = std::move(text);
  auto entries = parse_zone_text(zone.text, zone.name);
  if (!entries) {
    throw Stop(Exit::kRefused, "the zone file of " + name +
                                   " as exported cannot be read: " + entries.error().message());
  }
  zone.entries = std::move(entries).value();
  const Entry* soa = find_soa(zone.entries);
  if (soa == nullptr || soa->record.rdata.size() <= model::kSoaFixedSize) {
    throw Stop(Exit::kRefused, "the zone file of " + name + " as exported has no SOA");
  }
  zone.serial = model::soa_serial(soa->record.rdata);
  return zone;
}

ZoneState read_zone(Session& session, const std::string& name) {
  const Json zone = find_zone(session, name);
  return zone_from_text(text_of(zone, "id"), text_of(zone, "name"),
                        session.call_raw("GET", zone_path(zone) + "/dns_records/export").text);
}

Difference commit_zone(Session& session, const ZoneState& before, const Entries& wanted,
                       const std::string& file) {
  Difference change = difference(before.entries, wanted);
  refuse_soa(change);
  if (change.empty()) return change;
  const ZoneState now = read_zone(session, before.name.text());
  Difference meanwhile = difference(without_serial(before.entries), without_serial(now.entries));
  if (now.id != before.id || !meanwhile.empty()) throw ZoneChanged{now, std::move(meanwhile)};
  const Ids ids(session, now);
  const Batch batch = BatchMaker(now, ids).make(change, wanted);
  try {
    session.call("POST", "/client/v4/zones/" + now.id + "/dns_records/batch", batch.body);
  } catch (const Stop& stop) {
    throw Stop(stop.code, with_place(batch, stop.what(), file));
  }
  return change;
}

Entries rebased(const ZoneState& before, const Entries& wanted, const ZoneState& now) {
  const Difference change = difference(before.entries, wanted);
  Entries result = now.entries;
  const auto take = [&](const Entry& gone) {
    const auto found = std::find_if(result.begin(), result.end(), [&](const Entry& entry) {
      return is_equal(entry.record, gone.record);
    });
    if (found == result.end()) {
      throw Stop(Exit::kRefused,
                 "your change touches what is not there any more: " + bare_line(gone));
    }
    return found;
  };
  for (const Entry& entry : change.removed) result.erase(take(entry));
  for (const Replacement& each : change.changed) *take(each.before) = each.after;
  result.insert(result.end(), change.added.begin(), change.added.end());
  return result;
}

}  // namespace brink::ctl::cli
