// Writer: how a transaction ends, and what becomes of what it replaced.
#include <cstring>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/link.h"
#include "dataplane/snapshot/writer.h"

namespace brink::snapshot {

bool Garbage::empty() const {
  return replaced.empty() && states.empty() && gone.empty() && records.empty() &&
         dropped_states.empty() && blocks.empty() && dropped_trees.empty() && zones.empty() &&
         buckets.empty();
}

void Writer::end() {
  open_ = false;
  zone_ = 0;
  undo_.clear();
  if (undo_.capacity() > (std::size_t{1} << 16)) undo_.shrink_to_fit();
  made_blocks_.clear();
  if (made_blocks_.capacity() > (std::size_t{1} << 16)) made_blocks_.shrink_to_fit();
}

Garbage Writer::commit(std::uint64_t version, std::uint64_t created_unix_ns, std::uint64_t token) {
  CHECK(open_ && !apex_missing_);
  image_.state_ = {version, created_unix_ns, token, names_, zones_};
  image_.generation_ = generation_;
  end();
  return flush();
}

Garbage Writer::pause() {
  CHECK(open_ && !apex_missing_);
  undo_.clear();
  made_blocks_.clear();
  return flush();
}

Garbage Writer::flush() {
  for (BucketArray& array : image_.names_.take_retired()) {
    garbage_.buckets.push_back(std::move(array));
  }
  return std::exchange(garbage_, {});
}

Garbage Writer::abort() {
  CHECK(open_);
  Garbage garbage;
  for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) take_back(*step, garbage);
  // Of what trees were made of no reader has seen anything: no state led there that it could see.
  for (const DenialTree::Block& block : made_blocks_) {
    image_.heap_.free(block.ref, block.size_bytes);
  }
  garbage_ = std::move(garbage);
  end();
  return flush();
}

// What was written may be in some reader's hands, which looks behind it for what it may see: so it
// is unlinked now and freed with the garbage.
void Writer::take_back(const Undo& step, Garbage& garbage) {
  switch (step.kind) {
    case Undo::Kind::kInserted:
      image_.names_.remove(record(step.index).name_hash, step.index);
      garbage.records.push_back(step.index);
      break;
    case Undo::Kind::kReplaced:
      image_.names_.replace(record(step.index).name_hash, step.index, step.old);
      garbage.records.push_back(step.index);
      // Its time may have come, in vain, while it was not the newest.
      if (is_gone(step.old) && record(step.old).children == 0) add_gone(garbage, step.old);
      break;
    case Undo::Kind::kWildcard:
      store_link(record(step.index).wildcard, step.old);
      break;
    case Undo::Kind::kChildren:
      record(step.index).children = step.old;
      break;
    case Undo::Kind::kNameCount:
      image_.zones_[step.index].name_count = step.old;
      break;
    case Undo::Kind::kState:
      garbage.dropped_states.push_back(image_.zones_[step.index].state);
      store_link(image_.zones_[step.index].state, step.old);
      break;
    case Undo::Kind::kZone:
      garbage.zones.push_back(step.index);
      break;
  }
}

// A name that is gone has no children: the field says instead that it waits to be unlinked.
void Writer::add_gone(Garbage& garbage, std::uint32_t index) {
  record(index).children = 1;
  garbage.gone.push_back(index);
}

Garbage Writer::release(Garbage garbage) {
  Garbage later;
  for (const Garbage::Replaced& pair : garbage.replaced) {
    record(pair.newer).previous = 0;
    free_record(pair.old);
  }
  for (const Garbage::ReplacedState& pair : garbage.states) {
    reinterpret_cast<ZoneState*>(image_.heap_.at(pair.newer))->previous = 0;
    free_state(pair.old);
  }
  for (const std::uint32_t index : garbage.gone) unlink(index, later);
  for (const std::uint32_t index : garbage.records) free_record(index);
  for (const HeapRef ref : garbage.dropped_states) free_state(ref);
  for (const DenialTree::Block& block : garbage.blocks) {
    image_.heap_.free(block.ref, block.size_bytes);
  }
  for (const HeapRef root : garbage.dropped_trees) DenialTree::free(image_.heap_, root);
  for (const std::uint32_t zone : garbage.zones) {
    image_.zones_[zone] = {};
    image_.zones_.free(zone);
  }
  return later;
}

// Takes a name that is gone from the table. Its record may still be in readers' hands.
void Writer::unlink(std::uint32_t index, Garbage& later) {
  Record& gone = record(index);
  gone.children = 0;
  NameKey key;
  const View view(image_.root(), generation_);
  set_key(key, image_.hash_key_, view.name_bytes(gone), gone.name_size, gone.name_size);
  if (newest(key) != index) return;  // the name is back; its newer version frees this one
  image_.names_.remove(gone.name_hash, index);
  later.records.push_back(index);
  if ((gone.flags & kWildcard) == 0) return;
  NameKey parent;
  for (std::uint32_t above = parent_of(key, parent); above != 0; above = record(above).previous) {
    if (record(above).wildcard == index) store_link(record(above).wildcard, 0);
  }
}

bool Writer::maintain(std::uint32_t buckets_max) {
  return image_.names_.maintain(image_.records_.data(), buckets_max);
}

void Writer::free_contents(const Record& old) {
  if ((old.flags & kLongName) != 0) {
    HeapRef ref;
    std::memcpy(&ref, old.area, sizeof ref);
    image_.heap_.free(ref, old.name_size);
  }
  if (old.rrsets != 0) image_.rrsets_.drop(image_.heap_, old.rrsets);
  if (old.route != 0) {
    RouteHeader header;
    std::memcpy(&header, image_.heap_.at(old.route), sizeof header);
    image_.heap_.free(old.route, sizeof header + header.size_bytes);
  }
}

void Writer::free_record(std::uint32_t index) {
  free_contents(record(index));
  record(index) = Record{};  // as free slots are in a file
  image_.records_.free(index);
}

void Writer::free_state(HeapRef ref) {
  const auto* state = reinterpret_cast<const ZoneState*>(image_.heap_.at(ref));
  image_.heap_.free(ref, state_size(*state));
}

}  // namespace brink::snapshot
