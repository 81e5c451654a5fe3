// Writer: the chain and the table of a zone, which are trees beside the names.
#include <algorithm>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checked_name.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/writer.h"

namespace brink::snapshot {
namespace {

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

}  // namespace

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

}  // namespace brink::snapshot
