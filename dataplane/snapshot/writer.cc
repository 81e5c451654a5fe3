// Writer: what a transaction consists of; zones and names. Chains and tables are in
// writer_trees.cc, what comes after a transaction in reclaim.cc.
#include "dataplane/snapshot/writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checked_name.h"
#include "dataplane/snapshot/contents_fault.h"
#include "dataplane/snapshot/link.h"
#include "dataplane/snapshot/name_text.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeNs = 2;
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::uint16_t kTypeDname = 39;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// The commonest questions first: what is inlined costs a hit no further cache line.
int inline_rank(std::uint16_t type) {
  switch (type) {
    case kTypeCname:
      return 0;
    case kTypeA:
      return 1;
    case kTypeNs:
      return 2;
    case kTypeAaaa:
      return 3;
    default:
      return 4;
  }
}

// What a chain is at first that denies as `denial` says.
DenialChain empty_chain(const Denial& denial) {
  DenialChain chain{};
  chain.kind = denial.kind;
  chain.iterations = static_cast<std::uint8_t>(denial.iterations);
  chain.salt_size = static_cast<std::uint8_t>(denial.salt.size());
  return chain;
}

bool denies_as(const DenialChain& chain, const Denial& denial) {
  const auto salt = denial_salt(chain);
  return chain.kind == denial.kind && chain.iterations == denial.iterations &&
         std::equal(salt.begin(), salt.end(), denial.salt.begin(), denial.salt.end());
}

}  // namespace

base::Error Writer::no_memory(Name name) {
  out_of_memory_ = true;
  return {"the image has reached its memory limit, or the machine has no more memory",
          "name " + name_text(name),
          "raise snapshot.memory-max-mb, or look for a stopped worker that delays reclamation"};
}

void Writer::begin(std::uint32_t generation) {
  CHECK(!open_);
  out_of_memory_ = false;
  open_ = true;
  generation_ = generation;
  zone_ = 0;
  apex_missing_ = false;
  names_ = image_.state_.names;
  zones_ = image_.state_.zones;
}

std::uint32_t Writer::newest(const NameKey& key) const {
  return all().newest(key, 0, key.hash);
}

bool Writer::is_gone(std::uint32_t index) const {
  return (record(index).flags & kGone) != 0;
}

// Makes `parent` the name above `key`, which is not the root.
std::uint32_t Writer::parent_of(const NameKey& key, NameKey& parent) const {
  const std::size_t offset = 1U + key.bytes[0];
  set_key(parent, image_.hash_key_, key.bytes + offset, key.size - offset,
          sizeof key.bytes - offset);
  return newest(parent);
}

base::Result<void> Writer::check() const {
  if (apex_missing_) return refuse("a new zone has no apex", {apex_.bytes, apex_.size});
  return {};
}

base::Result<void> Writer::put_zone(Name apex, const ZoneContents& contents) {
  CHECK(open_);
  if (auto checked = check(); !checked) return checked;
  has_places_ = false;
  if (!set_checked_key(apex_, image_.hash_key_, apex)) {
    return refuse("it is no well-formed zone name", apex);
  }
  if (const std::string fault = fault_of(contents); !fault.empty()) return refuse(fault, apex);
  const std::uint32_t index = newest(apex_);
  if (index != 0 && (record(index).flags & kApex) != 0) {
    zone_ = record(index).zone;
  } else {
    zone_ = image_.zones_.allocate();
    if (zone_ == 0) return no_memory(apex);
    image_.zones_[zone_] = {};
    undo_.push_back({Undo::Kind::kZone, zone_, 0});
    ++zones_;
    apex_missing_ = true;
  }
  StateContents state;
  state.serial = contents.serial;
  state.negative = contents.negative;
  state.signed_negative = contents.signed_negative;
  state.chain = empty_chain(contents.denial);
  state.salt = contents.denial.salt;
  HeapRef dropped = 0;
  if (const HeapRef old = image_.zones_[zone_].state; old != 0) {
    if (const DenialChain* chain = View::chain(state_at(old)); chain != nullptr) {
      if (denies_as(*chain, contents.denial)) {
        state.chain = *chain;
        state.apex_denial = contents_of(state_at(old)).apex_denial;
      } else {
        dropped = chain->root;
      }
    }
    if (const Tree* table = View::table(state_at(old)); table != nullptr) state.table = *table;
  }
  if (!set_state(zone_, state)) return no_memory(apex);
  if (dropped != 0) garbage_.dropped_trees.push_back(dropped);
  return {};
}

base::Result<void> Writer::use_zone(Name apex) {
  CHECK(open_);
  if (auto checked = check(); !checked) return checked;
  has_places_ = false;
  if (!set_checked_key(apex_, image_.hash_key_, apex)) {
    return refuse("it is no well-formed zone name", apex);
  }
  const std::uint32_t index = newest(apex_);
  if (index == 0 || (record(index).flags & kApex) == 0) return refuse("there is no such zone", apex);
  zone_ = record(index).zone;
  return {};
}

base::Result<void> Writer::drop_zone(Name apex) {
  if (auto used = use_zone(apex); !used) return used;
  const std::uint32_t zone = zone_;
  const std::uint32_t names = image_.zones_[zone].name_count;
  if (names != 1) {
    return refuse("the zone cannot be dropped: it has " + std::to_string(names - 1) + " more names",
                  apex);
  }
  count_name(zone, -1);
  if (!remove_contents(newest(apex_), apex_)) return no_memory(apex);
  garbage_.zones.push_back(zone);
  const HeapRef state = image_.zones_[zone].state;
  garbage_.dropped_states.push_back(state);
  const DenialChain* chain = View::chain(state_at(state));
  if (chain != nullptr && chain->root != 0) garbage_.dropped_trees.push_back(chain->root);
  const Tree* table = View::table(state_at(state));
  if (table != nullptr) garbage_.dropped_trees.push_back(table->root);
  --zones_;
  zone_ = 0;
  return {};
}

base::Result<void> Writer::put_name(Name name, const NameContents& contents) {
  CHECK(open_);
  NameKey key;
  if (!set_checked_key(key, image_.hash_key_, name)) return refuse("it is malformed", name);
  if (zone_ == 0) return refuse("no zone was named before it", name);
  if (!is_inside(key, apex_)) return refuse("it is outside its zone", name);
  const bool apex = key.size == apex_.size;
  if (apex_missing_ && !apex) return check();
  if (const std::string fault = fault_of(contents); !fault.empty()) return refuse(fault, name);

  const std::uint32_t old = newest(key);
  const bool existed = old != 0 && !is_gone(old);
  if (existed && (record(old).flags & kApex) != 0 && record(old).zone != zone_) {
    return refuse("it is the apex of another zone", name);
  }
  std::uint16_t flags = apex ? kApex : 0;
  if (contents.cut) flags |= kCut;
  if (contents.parent_side) flags |= kParentSide;
  for (const Rrset& set : contents.rrsets) {
    if (set.type == kTypeCname) flags |= kAlias;
    if (set.type == kTypeDname) flags |= kRedirect;
  }
  const std::uint32_t index = make_record(key, flags);
  if (index == 0) return no_memory(name);
  Record& fresh = record(index);
  fresh.zone = zone_;
  fresh.apex_size = static_cast<std::uint8_t>(apex_.size);
  if (!fill(fresh, contents)) {
    free_record(index);
    return no_memory(name);
  }
  if (existed && record(old).zone != 0) count_name(record(old).zone, -1);
  count_name(zone_, 1);
  if (!link(index, old, key)) return no_memory(name);
  apex_missing_ = false;
  return {};
}

base::Result<void> Writer::drop_name(Name name) {
  CHECK(open_);
  NameKey key;
  if (!set_checked_key(key, image_.hash_key_, name)) return refuse("it is malformed", name);
  if (auto checked = check(); !checked) return checked;
  const std::uint32_t old = newest(key);
  if (old == 0 || (record(old).flags & (kGone | kEmpty)) != 0) return {};
  if ((record(old).flags & kApex) != 0) return refuse("it is a zone's apex: drop the zone", name);
  count_name(record(old).zone, -1);
  if (!remove_contents(old, key)) return no_memory(name);
  return {};
}

// In a large image each of these is a cache miss, and leads to the next: a step at a time for all names.
void Writer::expect(std::span<const Name> names) {
  CHECK(names.size() <= kExpectedMax);
  const View view = all();
  std::uint64_t hashes[kExpectedMax];
  std::uint32_t indexes[kExpectedMax];
  std::size_t count = 0;
  for (const Name name : names) {
    NameKey key;
    if (name.empty() || name.size() > kNameMax) continue;
    set_key(key, image_.hash_key_, name.data(), name.size(), name.size());
    view.prefetch_bucket(key.hash);
    hashes[count++] = key.hash;
  }
  for (std::size_t i = 0; i < count; ++i) {
    indexes[i] = view.candidate(hashes[i]);
    view.prefetch_record(indexes[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Record& found = record(indexes[i]);
    __builtin_prefetch(&image_.zones_[found.zone]);
    if (found.rrsets != 0) view.prefetch_rrsets(found);
  }
}

// A record of this name that nothing leads to yet; 0: no memory.
std::uint32_t Writer::make_record(const NameKey& key, std::uint16_t flags) {
  const std::uint32_t index = image_.records_.allocate();
  if (index == 0) return 0;
  Record& fresh = record(index);
  fresh = Record{};
  fresh.name_hash = key.hash;
  fresh.name_size = static_cast<std::uint8_t>(key.size);
  fresh.birth = generation_;
  fresh.flags = is_wildcard(key) ? static_cast<std::uint16_t>(flags | kWildcard) : flags;
  if (key.size <= kInlineNameMax) {
    std::memcpy(fresh.area, key.bytes, key.size);
    return index;
  }
  const HeapRef ref = image_.heap_.allocate(key.size);
  if (ref == 0) {
    free_record(index);
    return 0;
  }
  fresh.flags |= kLongName;
  std::memcpy(fresh.area, &ref, sizeof ref);
  std::memcpy(image_.heap_.at(ref), key.bytes, key.size);
  return index;
}

bool Writer::fill(Record& fresh, const NameContents& contents) {
  if (!fill_rrsets(fresh, contents.rrsets)) return false;
  if (contents.route.empty()) return true;
  const RouteHeader header{static_cast<std::uint32_t>(contents.route.size()), 0};
  const HeapRef ref = image_.heap_.allocate(sizeof header + contents.route.size());
  if (ref == 0) return false;
  std::memcpy(image_.heap_.at(ref), &header, sizeof header);
  std::memcpy(image_.heap_.at(ref) + sizeof header, contents.route.data(), contents.route.size());
  fresh.route = ref;
  return true;
}

// One set that fits goes into the record, in its plain form; all else into one block, blobs behind
// the table: one run of cache lines.
bool Writer::fill_rrsets(Record& fresh, std::span<const Rrset> rrsets) {
  std::vector<RrsetBlocks::Set> sets;
  for (const Rrset& set : rrsets) {
    sets.push_back({set.type, kPlainForm, set.blob});
    if (!set.signed_blob.empty()) sets.push_back({set.type, kSignedForm, set.signed_blob});
  }
  std::sort(sets.begin(), sets.end(), [](const auto& left, const auto& right) {
    return std::pair(left.type, left.form) < std::pair(right.type, right.form);
  });

  const std::size_t name_room =
      (fresh.flags & kLongName) != 0 ? kHeapUnit : round_up(fresh.name_size, kHeapUnit);
  const auto fits = [name_room](const RrsetBlocks::Set& set) {
    return set.form == kPlainForm && set.blob.size() <= kRecordAreaSize - name_room;
  };
  const auto best =
      std::min_element(sets.begin(), sets.end(), [&](const auto& left, const auto& right) {
        return std::pair(!fits(left), inline_rank(left.type)) <
               std::pair(!fits(right), inline_rank(right.type));
      });
  if (best != sets.end() && fits(*best)) {
    std::memcpy(fresh.area + name_room, best->blob.data(), best->blob.size());
    fresh.inline_type = best->type;
    fresh.inline_offset = static_cast<std::uint16_t>(name_room);
    sets.erase(best);
  }
  if (sets.empty()) return true;
  fresh.rrsets = image_.rrsets_.make(image_.heap_, sets, (fresh.flags & kCut) != 0);
  return fresh.rrsets != 0;
}

// Makes record `index` the newest of its name, in the place of `old` (0: none).
bool Writer::link(std::uint32_t index, std::uint32_t old, const NameKey& key) {
  Record& fresh = record(index);
  if (old == 0) {
    if (!image_.names_.insert(image_.records_.data(), index)) {
      free_record(index);
      return false;
    }
    undo_.push_back({Undo::Kind::kInserted, index, 0});
    return appear(key, index);
  }
  const bool existed = !is_gone(old);
  const Record& before = record(old);
  fresh.previous = old;
  fresh.wildcard = before.wildcard;
  if (existed && (fresh.flags & kGone) == 0) fresh.children = before.children;
  image_.names_.replace(key.hash, old, index);
  undo_.push_back({Undo::Kind::kReplaced, index, old});
  garbage_.replaced.push_back({index, old});
  if (!existed) return appear(key, index);
  if ((fresh.flags & kWildcard) != 0) {
    NameKey parent;
    set_wildcard(parent_of(key, parent), index);
  }
  return true;
}

// A name came to exist: the one above it has one more child, and comes to exist itself if need be.
bool Writer::appear(const NameKey& key, std::uint32_t index) {
  if (key.size == 1) return true;
  NameKey parent;
  std::uint32_t above = parent_of(key, parent);
  if (above == 0 || is_gone(above)) {
    const std::uint32_t made = make_record(parent, kEmpty);
    if (made == 0 || !link(made, above, parent)) return false;
    above = made;
  }
  set_children(above, record(above).children + 1);
  if (is_wildcard(key)) set_wildcard(above, index);
  return true;
}

// A name ceased to exist: so does the one above it if that was there for its sake alone.
bool Writer::vanish(const NameKey& key) {
  if (key.size == 1) return true;
  NameKey parent;
  const std::uint32_t above = parent_of(key, parent);
  set_children(above, record(above).children - 1);
  if ((record(above).flags & kEmpty) == 0 || record(above).children != 0) return true;
  return replace_by(kGone, above, parent) && vanish(parent);
}

bool Writer::remove_contents(std::uint32_t old, const NameKey& key) {
  if (record(old).children != 0) return replace_by(kEmpty, old, key);
  return replace_by(kGone, old, key) && vanish(key);
}

bool Writer::replace_by(std::uint16_t flags, std::uint32_t old, const NameKey& key) {
  const std::uint32_t index = make_record(key, flags);
  if (index == 0 || !link(index, old, key)) return false;
  if (flags == kGone) add_gone(garbage_, index);
  return true;
}

bool Writer::set_state(std::uint32_t zone, const StateContents& contents) {
  Zone& target = image_.zones_[zone];
  __builtin_prefetch(image_.heap_.at(target.state));  // it will be freed
  const HeapRef ref = make_state(image_.heap_, generation_, target.state, contents);
  if (ref == 0) return false;
  undo_.push_back({Undo::Kind::kState, zone, target.state});
  if (target.state != 0) garbage_.states.push_back({ref, target.state});
  store_link(target.state, ref);
  return true;
}

void Writer::set_wildcard(std::uint32_t index, std::uint32_t wildcard) {
  undo_.push_back({Undo::Kind::kWildcard, index, record(index).wildcard});
  store_link(record(index).wildcard, wildcard);
}

void Writer::set_children(std::uint32_t index, std::uint32_t children) {
  undo_.push_back({Undo::Kind::kChildren, index, record(index).children});
  record(index).children = children;
}

void Writer::count_name(std::uint32_t zone, int change) {
  std::uint32_t& count = image_.zones_[zone].name_count;
  undo_.push_back({Undo::Kind::kNameCount, zone, count});
  count += static_cast<std::uint32_t>(change);
  names_ += static_cast<std::uint64_t>(static_cast<std::int64_t>(change));
}

}  // namespace brink::snapshot
