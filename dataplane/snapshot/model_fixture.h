// Model: what an image ought to hold, as plainly as can be, and what a look-up in it ought to find.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
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

struct ModelName {
  Path zone;
  std::vector<Rrset> rrsets;
  Bytes route;
  bool cut = false;
  bool parent_side = false;
};

struct ModelZone {
  std::uint32_t serial = 0;
  Bytes negative;
  std::size_t names = 0;
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
};

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
  const ZoneState& state = view.zone(record);
  if (state.serial != zone.serial) return "serial";
  if (std::memcmp(&negative_blob(state), zone.negative.data(), zone.negative.size()) != 0) {
    return "negative answer";
  }
  const std::size_t in_table = view.rrsets(record).size();
  if (in_table + (record.inline_type != 0 ? 1 : 0) != name.rrsets.size()) return "RRsets";
  for (const Rrset& set : name.rrsets) {
    const BlobHeader* found = view.blob(record, set.type);
    if (found == nullptr || blob_size(*found) != set.blob.size() ||
        std::memcmp(found, set.blob.data(), set.blob.size()) != 0) {
      return "RRset of type " + std::to_string(set.type);
    }
  }
  const auto route = view.route(record);
  if (!std::equal(route.begin(), route.end(), name.route.begin(), name.route.end())) return "route";
  return "";
}

}  // namespace brink::snapshot
