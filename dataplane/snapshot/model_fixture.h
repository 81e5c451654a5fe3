// Model: what an image ought to hold, as plainly as can be, and what a look-up in it ought to find.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/snapshot/name_text.h"
#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {

// The labels of a name, the topmost first: what is below a name follows it in order.
using Path = std::vector<std::string>;

inline Bytes wire_of(const Path& path) {
  Bytes out;
  for (auto label = path.rbegin(); label != path.rend(); ++label) {
    out.push_back(static_cast<std::uint8_t>(label->size()));
    out.insert(out.end(), label->begin(), label->end());
  }
  out.push_back(0);
  return out;
}

inline bool is_below_or_at(const Path& path, const Path& above) {
  return path.size() >= above.size() && std::equal(above.begin(), above.end(), path.begin());
}

struct OctetOrder {
  static std::string_view text(const Bytes& octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
  }
  bool operator()(const Bytes& left, const Bytes& right) const { return text(left) < text(right); }
};

struct ModelName {
  Path zone;
  std::vector<Rrset> rrsets;
  Bytes route;
  bool cut = false;
  bool parent_side = false;
};

struct ModelZone {
  std::uint32_t serial = 0;
  Bytes negative, signed_negative;
  std::size_t names = 0;
  DenialKind denies = DenialKind::kNone;
  std::uint16_t iterations = 0;
  Bytes salt;
  // The order of paths is that of RFC 4034 6.1.
  std::map<Path, Bytes> chain;
  std::map<Bytes, Bytes, OctetOrder> table;

  [[nodiscard]] Denial denial() const { return {denies, iterations, salt}; }
};

class Model {
 public:
  std::map<Path, ModelName> names;
  std::map<Path, ModelZone> zones;

  [[nodiscard]] bool exists(const Path& path) const {
    const auto first = names.lower_bound(path);
    return first != names.end() && is_below_or_at(first->first, path);
  }
  void put(const Path& path, ModelName name) {
    drop(path);
    ++zones[name.zone].names;
    names[path] = std::move(name);
  }
  void drop(const Path& path) {
    const auto old = names.find(path);
    if (old == names.end()) return;
    --zones[old->second.zone].names;
    names.erase(old);
  }

  // Looks `path` up in `view`; "": it finds what it ought to.
  [[nodiscard]] std::string compare(const View& view, const Path& path) const;
  // Looks for `keys` in the table of the zone at `apex`.
  [[nodiscard]] std::string compare_values(const View& view, const Path& apex,
                                           const std::vector<Bytes>& keys) const;
  // Looks for `paths`, which are at or below `apex`, in its chain.
  [[nodiscard]] std::string compare_denials(const View& view, const Path& apex,
                                            const std::vector<Path>& paths) const;

 private:
  // The nearest name at `path` or above it that owns something.
  [[nodiscard]] const Path* owner(Path path) const {
    for (;; path.pop_back()) {
      if (const auto found = names.find(path); found != names.end()) return &found->first;
      if (path.empty()) return nullptr;
    }
  }
  [[nodiscard]] std::string compare_record(const View& view, const Record& record,
                                           const Path& path) const;
  [[nodiscard]] std::string compare_contents(const View& view, const Record& record,
                                             const ModelName& name) const;
  [[nodiscard]] static std::string compare_state(const ZoneState& state, const ModelZone& zone);
};

inline bool is_same(const BlobHeader* found, const Bytes& wanted) {
  return found != nullptr && blob_size(*found) == wanted.size() &&
         std::memcmp(found, wanted.data(), wanted.size()) == 0;
}

inline std::string Model::compare(const View& view, const Path& path) const {
  const Bytes wire = wire_of(path);
  const Lookup found = view.lookup(key_of(view, wire));
  const std::string where = name_text(wire) + ": ";

  Path closest = path;
  while (!closest.empty() && !exists(closest)) closest.pop_back();
  const bool exact = closest == path && exists(path);
  const Path* encloser = exists(closest) ? owner(closest) : nullptr;
  if (encloser == nullptr) {
    const bool nothing = found.record == nullptr && found.encloser == nullptr && !found.exact;
    return nothing ? "" : where + "found, though it is in no zone";
  }
  if (found.encloser == nullptr) return where + "no encloser";
  if (found.exact != exact) return where + "exactness is wrong";
  if (const auto fault = compare_record(view, *found.encloser, *encloser); !fault.empty()) {
    return where + "encloser: " + fault;
  }
  Path record = path;
  if (!exact) {
    record = closest;
    record.push_back("*");
    if (!exists(record)) return found.record == nullptr ? "" : where + "a wildcard too many";
  }
  if (found.record == nullptr) return where + "no record";
  if (const auto fault = compare_record(view, *found.record, record); !fault.empty()) {
    return where + fault;
  }
  return "";
}

inline std::string Model::compare_record(const View& view, const Record& record,
                                         const Path& path) const {
  const Bytes wire = wire_of(path);
  if (record.name_size != wire.size() ||
      !std::equal(wire.begin(), wire.end(), view.name_bytes(record))) {
    return "another name";
  }
  if (((record.flags & kWildcard) != 0) != (!path.empty() && path.back() == "*")) {
    return "wildcard flag";
  }
  const auto name = names.find(path);
  if (name == names.end()) {
    const bool empty = (record.flags & kEmpty) != 0 && record.zone == 0 && record.rrsets == 0 &&
                       record.route == 0 && record.inline_type == 0;
    return empty ? "" : "not empty";
  }
  return compare_contents(view, record, name->second);
}

inline std::string Model::compare_contents(const View& view, const Record& record,
                                           const ModelName& name) const {
  const auto has = [&](std::uint16_t flag) { return (record.flags & flag) != 0; };
  const bool alias = std::any_of(name.rrsets.begin(), name.rrsets.end(),
                                 [](const Rrset& set) { return set.type == 5; });
  const bool redirect = std::any_of(name.rrsets.begin(), name.rrsets.end(),
                                    [](const Rrset& set) { return set.type == 39; });
  const Bytes zone_name = wire_of(name.zone);
  if (has(kEmpty) || has(kGone) || has(kCut) != name.cut || has(kAlias) != alias ||
      has(kRedirect) != redirect ||
      has(kParentSide) != name.parent_side ||
      has(kApex) != (zone_name.size() == record.name_size)) {
    return "flags";
  }
  if (record.zone == 0 || record.apex_size != zone_name.size()) return "zone";
  const ModelZone& zone = zones.at(name.zone);
  if (const auto fault = compare_state(view.zone(record), zone); !fault.empty()) return fault;
  std::size_t forms = name.rrsets.size();
  for (const Rrset& set : name.rrsets) forms += set.signed_blob.empty() ? 0 : 1;
  if (view.rrsets(record).size() + (record.inline_type != 0 ? 1 : 0) != forms) return "RRsets";
  for (const Rrset& set : name.rrsets) {
    if (!is_same(view.blob(record, set.type), set.blob)) {
      return "RRset of type " + std::to_string(set.type);
    }
    if (!is_same(view.signed_blob(record, set.type),
                 set.signed_blob.empty() ? set.blob : set.signed_blob)) {
      return "signed RRset of type " + std::to_string(set.type);
    }
  }
  const auto route = view.route(record);
  if (!std::equal(route.begin(), route.end(), name.route.begin(), name.route.end())) return "route";
  return "";
}

inline std::string Model::compare_state(const ZoneState& state, const ModelZone& zone) {
  if (state.serial != zone.serial) return "serial";
  if (!is_same(&negative_blob(state), zone.negative)) return "negative answer";
  if (!is_same(View::signed_negative_blob(state),
               zone.signed_negative.empty() ? zone.negative : zone.signed_negative)) {
    return "signed negative answer";
  }
  const Tree* table = View::table(state);
  if (table == nullptr ? !zone.table.empty() : table->count != zone.table.size()) return "table";
  if (zone.table.empty() && table != nullptr) return "a table without values";
  const DenialChain* chain = View::chain(state);
  if (chain == nullptr) return zone.denies == DenialKind::kNone ? "" : "no chain";
  const auto salt = denial_salt(*chain);
  if (chain->kind != zone.denies || chain->iterations != zone.iterations ||
      !std::equal(salt.begin(), salt.end(), zone.salt.begin(), zone.salt.end())) {
    return "another chain";
  }
  return chain->count == zone.chain.size() ? "" : "another number of records in the chain";
}

inline std::string Model::compare_values(const View& view, const Path& apex,
                                         const std::vector<Bytes>& keys) const {
  const Record* record = view.find(key_of(view, wire_of(apex)));
  const auto& wanted = zones.at(apex).table;
  if (record == nullptr) return "no apex";
  const Tree* table = View::table(view.zone(*record));
  if (table == nullptr) return wanted.empty() ? "" : "no table";
  for (const Bytes& key : keys) {
    const auto found = view.value(*table, table_key_of(key));
    const auto value = wanted.find(key);
    const bool same = value == wanted.end()
                          ? found.empty()
                          : std::equal(found.begin(), found.end(), value->second.begin(),
                                       value->second.end());
    if (!same) return "another value for a key of " + std::to_string(key.size()) + " octets";
  }
  return "";
}

inline std::string Model::compare_denials(const View& view, const Path& apex,
                                          const std::vector<Path>& paths) const {
  const Bytes apex_wire = wire_of(apex);
  const Record* record = view.find(key_of(view, apex_wire));
  const ModelZone& zone = zones.at(apex);
  const DenialChain* chain = record == nullptr ? nullptr : View::chain(view.zone(*record));
  if (chain == nullptr) return zone.denies == DenialKind::kNone ? "" : "no chain";
  std::vector<DenialKey> keys;
  for (const Path& path : paths) keys.push_back(denial_key_of(wire_of(path), apex_wire));
  std::vector<DenialQuestion> questions;
  for (const DenialKey& key : keys) questions.push_back({chain, &key});
  view.find_denials(questions);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const DenialHit hit = view.find_denial(*chain, keys[i]);
    const std::string where =
        name_text(wire_of(paths[i])) + " in a chain of " + std::to_string(zone.chain.size()) + ": ";
    if (questions[i].hit.blob() != hit.blob() || questions[i].hit.exact != hit.exact) {
      return where + "one of several finds something else";
    }
    if (zone.chain.empty()) {
      if (hit.blob() != nullptr || hit.exact) return where + "found in an empty chain";
      continue;
    }
    auto wanted = zone.chain.upper_bound(paths[i]);
    if (wanted == zone.chain.begin()) wanted = zone.chain.end();
    --wanted;
    if (!is_same(hit.blob(), wanted->second)) {
      return where + "not the record of " + name_text(wire_of(wanted->first));
    }
    if (hit.exact != (wanted->first == paths[i])) return where + "exactness is wrong";
  }
  return "";
}

}  // namespace brink::snapshot
