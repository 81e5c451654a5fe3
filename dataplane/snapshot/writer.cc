// Writer: what a transaction consists of. What comes after it is in reclaim.cc.
#include "dataplane/snapshot/writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/link.h"
#include "dataplane/snapshot/name_text.h"
#include "dataplane/snapshot/verify.h"

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

base::Error refuse(const std::string& what, std::span<const std::uint8_t> name) {
  return {what, "name " + name_text(name), ""};
}

bool set_checked_key(NameKey& key, const base::HashKey& hash_key,
                     std::span<const std::uint8_t> name) {
  if (name.empty() || wire_name_size(name) != name.size()) return false;
  set_key(key, hash_key, name.data(), name.size(), name.size());
  return true;
}

bool is_inside(const NameKey& name, const NameKey& apex) {
  // The suffix must start at a label: walk there.
  std::size_t at = 0;
  while (name.size > at + apex.size) at += 1U + name.bytes[at];
  return name.size == at + apex.size && std::memcmp(name.bytes + at, apex.bytes, apex.size) == 0;
}

// Empty: it may be stored.
std::string fault_of(std::span<const std::uint8_t> blob) {
  if (const auto verified = verify_blob(blob); !verified) return verified.error().what;
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob.data());
  return blob_size(header) == blob.size() ? "" : "there is more behind a blob";
}

std::string fault_of(const NameContents& contents) {
  for (const Rrset& set : contents.rrsets) {
    if (set.type == 0) return "an RRset has type 0";
    const auto same = [&](const Rrset& other) { return other.type == set.type; };
    if (std::count_if(contents.rrsets.begin(), contents.rrsets.end(), same) > 1) {
      return "two RRsets have type " + std::to_string(set.type);
    }
    std::string fault = fault_of(std::span<const std::uint8_t>(set.blob));
    if (fault.empty() && !set.signed_blob.empty()) {
      fault = fault_of(std::span<const std::uint8_t>(set.signed_blob));
    }
    if (!fault.empty()) return fault + " (type " + std::to_string(set.type) + ")";
  }
  return "";
}

std::string fault_of_negative(std::span<const std::uint8_t> negative) {
  if (const std::string fault = fault_of(negative); !fault.empty()) {
    return "its negative answer: " + fault;
  }
  return "";
}

std::string fault_of(const ZoneContents& contents) {
  if (std::string fault = fault_of_negative(contents.negative); !fault.empty()) return fault;
  if (reinterpret_cast<const BlobHeader*>(contents.negative.data())->body_count != 1) {
    return "its negative answer is not one SOA";
  }
  if (!contents.signed_negative.empty()) {
    if (std::string fault = fault_of_negative(contents.signed_negative); !fault.empty()) {
      return fault;
    }
  }
  const Denial& denial = contents.denial;
  if (denial.kind != DenialKind::kNsec3) {
    return denial.iterations == 0 && denial.salt.empty() ? ""
                                                         : "only NSEC3 has iterations and salt";
  }
  if (denial.iterations > kNsec3IterationsMax) {
    return "its NSEC3 iterations are more than " + std::to_string(kNsec3IterationsMax);
  }
  if (denial.salt.size() > kNsec3SaltMax) {
    return "its NSEC3 salt has more than " + std::to_string(kNsec3SaltMax) + " octets";
  }
  return "";
}

// What a chain is at first that denies as `denial` says.
DenialChain empty_chain(const Denial& denial) {
  DenialChain chain{};
  chain.kind = denial.kind;
  chain.iterations = static_cast<std::uint8_t>(denial.iterations);
  chain.salt_size = static_cast<std::uint8_t>(denial.salt.size());
  return chain;
}

bool is_table_key(std::span<const std::uint8_t> key) {
  return !key.empty() && key.size() <= kTableKeyMax;
}

// The keys in a tree that begin so.
void add_keys(const DenialReader& reader, HeapRef ref, std::span<const std::uint8_t> prefix,
              std::vector<std::vector<std::uint8_t>>& keys) {
  const DenialNode& node = reader.node(ref);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (node.level > 0) {
      add_keys(reader, denial_children(node)[i], prefix, keys);
      continue;
    }
    const auto key = denial_key(reader.entry(denial_entries(node)[i]));
    if (key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin())) {
      keys.emplace_back(key.begin(), key.end());
    }
  }
}

// Whether the record that was just put under this key is that of the apex or what says that it has
// no wildcard, or has one.
bool is_of_apex(const DenialReader& reader, const DenialChain& chain, const DenialKey& key,
                const ApexPlaces& places) {
  const std::span<const std::uint8_t> put(key.bytes, key.size);
  if (std::ranges::equal(put, std::span(places.apex.bytes, places.apex.size))) return true;
  // In the order of names nearly all come behind "*".
  if (chain.kind == DenialKind::kNsec && key.bytes[0] > '*') return false;
  bool exact = false;
  return std::ranges::equal(put, denial_key(*reader.find(chain, places.wildcard, exact)));
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

// The chain of the current zone, to be changed, and the key of a record in it.
base::Result<DenialChain*> Writer::open_chain(Name owner, DenialKey& key) {
  CHECK(open_);
  NameKey name;
  if (!set_checked_key(name, image_.hash_key_, owner)) return refuse("it is malformed", owner);
  if (auto checked = check(); !checked) return checked.error();
  if (zone_ == 0) return refuse("no zone was named before it", owner);
  if (!is_inside(name, apex_)) return refuse("it is outside its zone", owner);
  if (View::chain(state_at(image_.zones_[zone_].state)) == nullptr) {
    return refuse("its zone is not signed", owner);
  }
  const auto state = open_state();
  if (!state) return state.error();
  set_denial_key(key, name.bytes, name.size, apex_.size);
  return chain_of(*state.value());
}

// The current zone's state, to be changed: no reader sees one of the transaction's own.
base::Result<ZoneState*> Writer::open_state() {
  const HeapRef ref = image_.zones_[zone_].state;
  if (state_at(ref).birth != generation_ && !set_state(zone_, contents_of(state_at(ref)))) {
    return no_memory({apex_.bytes, apex_.size});
  }
  return &state_at(image_.zones_[zone_].state);
}

// In the chain of the current zone.
const ApexPlaces& Writer::apex_places(const DenialChain& chain) {
  if (!has_places_) find_apex_places(chain, {apex_.bytes, apex_.size}, places_);
  has_places_ = true;
  return places_;
}

// Has the current zone's state, opened, hold what its chain says of the apex.
bool Writer::renew_apex_denial() {
  const ZoneState& state = state_at(image_.zones_[zone_].state);
  StateContents contents = contents_of(state);
  const DenialChain& chain = *View::chain(state);
  const auto wanted = apex_denial_of(DenialReader(image_.heap_.at(0)), chain, apex_places(chain));
  if (std::ranges::equal(contents.apex_denial, wanted)) return true;
  contents.apex_denial = wanted;
  return set_state(zone_, contents);
}

base::Result<void> Writer::tree_done(DenialTree::Outcome outcome, Name name) {
  switch (outcome) {
    case DenialTree::Outcome::kDone:
      return {};
    case DenialTree::Outcome::kNoMemory:
      return no_memory(name);
    case DenialTree::Outcome::kTooHigh:
      break;
  }
  return refuse("a tree of its zone is too high, its image was not made by this program", name);
}

// The table of the current zone, to be changed; null: there is none.
base::Result<Tree*> Writer::open_table() {
  CHECK(open_);
  if (auto checked = check(); !checked) return checked.error();
  if (zone_ == 0) return refuse("no zone was named before a value", {});
  const auto state = open_state();
  if (!state) return state.error();
  return table_of(*state.value());
}

base::Result<void> Writer::put_value(Key key, std::span<const std::uint8_t> value) {
  auto opened = open_table();
  if (!opened) return opened.error();
  const Name apex(apex_.bytes, apex_.size);
  if (!is_table_key(key)) return refuse("a key of its table has a wrong size", apex);
  if (value.empty() || value.size() % kHeapUnit != 0 || value.size() > kTableValueMax) {
    return refuse("a value of its table has " + std::to_string(value.size()) + " octets", apex);
  }
  Tree* table = opened.value();
  if (table == nullptr) {
    StateContents contents = contents_of(state_at(image_.zones_[zone_].state));
    contents.makes_table = true;
    if (!set_state(zone_, contents)) return no_memory(apex);
    table = table_of(state_at(image_.zones_[zone_].state));
  }
  DenialKey table_key;
  set_table_key(table_key, key);
  return tree_done(trees().put(*table, table_key, value), apex);
}

base::Result<void> Writer::drop_value(Key key) {
  auto opened = open_table();
  if (!opened) return opened.error();
  const Name apex(apex_.bytes, apex_.size);
  if (!is_table_key(key)) return refuse("a key of its table has a wrong size", apex);
  return opened.value() == nullptr ? base::Result<void>() : drop_from(*opened.value(), key);
}

base::Result<void> Writer::clear_values(Key prefix) {
  auto opened = open_table();
  if (!opened) return opened.error();
  if (opened.value() == nullptr) return {};
  std::vector<std::vector<std::uint8_t>> keys;
  add_keys(DenialReader(image_.heap_.at(0)), opened.value()->root, prefix, keys);
  for (const auto& key : keys) {
    if (auto dropped = drop_from(*opened.value(), key); !dropped) return dropped;
  }
  return {};
}

base::Result<void> Writer::drop_from(Tree& table, Key key) {
  const Name apex(apex_.bytes, apex_.size);
  DenialKey table_key;
  set_table_key(table_key, key);
  if (auto done = tree_done(trees().drop(table, table_key), apex); !done) return done;
  if (table.root != 0) return {};
  // A state without the table.
  const HeapRef state = image_.zones_[zone_].state;
  return set_state(zone_, contents_of(state_at(state))) ? base::Result<void>() : no_memory(apex);
}

base::Result<void> Writer::put_denial(Name owner, std::span<const std::uint8_t> blob) {
  DenialKey key;
  const auto chain = open_chain(owner, key);
  if (!chain) return chain.error();
  if (const auto verified = verify_free_blob(blob); !verified) {
    return refuse(verified.error().what, owner);
  }
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob.data());
  if (blob_size(header) != blob.size()) return refuse("there is more behind a blob", owner);
  if (!is_owner({key.bytes, key.size}, header)) return refuse("its blob is another's", owner);
  if (auto done = tree_done(trees().put(*chain.value(), key, blob), owner); !done) return done;
  const bool concerned = is_of_apex(DenialReader(image_.heap_.at(0)), *chain.value(), key,
                                    apex_places(*chain.value()));
  return !concerned || renew_apex_denial() ? base::Result<void>() : no_memory(owner);
}

base::Result<void> Writer::drop_denial(Name owner) {
  DenialKey key;
  const auto chain = open_chain(owner, key);
  if (!chain) return chain.error();
  if (auto done = tree_done(trees().drop(*chain.value(), key), owner); !done) return done;
  return renew_apex_denial() ? base::Result<void>() : no_memory(owner);
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
