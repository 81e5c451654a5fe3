#include "dataplane/snapshot/compact.h"

#include <cstring>
#include <vector>

#include "dataplane/snapshot/denial_tree.h"
#include "dataplane/snapshot/link.h"
#include "dataplane/snapshot/zone_state.h"

namespace brink::snapshot {

class Compactor {
 public:
  Compactor(const Pinned& from, const ImageOptions& options)
      : from_(from), view_(from.root, from.generation), options_(options) {}

  base::Result<Image> run();

 private:
  bool copy_names();
  bool copy_name(const Record& old);
  bool copy_contents(const Record& old, Record& fresh);
  bool copy_zone(const Record& old, std::uint32_t& zone);
  bool copy_trees(const ZoneState& old, HeapRef fresh);
  bool copy_tree(const Tree* from, Tree* to);
  void link_names();
  HeapRef copy_block(HeapRef ref, std::size_t size);

  const Pinned& from_;
  const View view_;
  const ImageOptions& options_;
  Image image_;
  std::vector<std::uint32_t> zones_;    // old number -> new
  std::vector<RrsetBlocks::Set> sets_;  // of the name that is being copied
};

base::Result<Image> compact(const Pinned& from, const ImageOptions& options) {
  return Compactor(from, options).run();
}

base::Result<Image> Compactor::run() {
  auto created = Image::create(from_.root.hash_key, options_, from_.state.names);
  if (!created) return created;
  image_ = std::move(created).value();
  zones_.resize(from_.zone_slots);
  if (!copy_names()) {
    return base::Error{"no memory for a fresh image", "compaction",
                       "add memory, or raise snapshot.memory-max-mb"};
  }
  link_names();
  image_.state_ = from_.state;
  return std::move(image_);
}

// A name that the generation sees stays in its slot, whoever writes meanwhile, so each is met once.
bool Compactor::copy_names() {
  for (std::uint64_t i = 0; i <= from_.root.bucket_mask; ++i) {
    for (const std::uint32_t& slot : from_.root.buckets[i].records) {
      const Record* old = view_.version(load_link(slot));
      if (old != nullptr && !copy_name(*old)) return false;
    }
  }
  return true;
}

bool Compactor::copy_name(const Record& old) {
  const std::uint32_t index = image_.records_.allocate();
  if (index == 0) return false;
  Record& fresh = image_.records_[index];
  // Not as a whole: the writer goes on changing the links of what it has written.
  fresh = Record{};
  fresh.name_hash = old.name_hash;
  fresh.name_size = old.name_size;
  fresh.apex_size = old.apex_size;
  fresh.flags = old.flags;
  fresh.inline_type = old.inline_type;
  fresh.inline_offset = old.inline_offset;
  fresh.birth = options_.generation;
  std::memcpy(fresh.area, old.area, sizeof fresh.area);
  if (!copy_contents(old, fresh)) return false;
  if (old.zone != 0 && !copy_zone(old, fresh.zone)) return false;
  return image_.names_.insert(image_.records_.data(), index);
}

bool Compactor::copy_contents(const Record& old, Record& fresh) {
  if ((old.flags & kLongName) != 0) {
    HeapRef ref;
    std::memcpy(&ref, old.area, sizeof ref);
    ref = copy_block(ref, old.name_size);
    if (ref == 0) return false;
    std::memcpy(fresh.area, &ref, sizeof ref);
  }
  if (old.rrsets != 0) {
    sets_.clear();
    for (const RrsetEntry& entry : view_.rrsets(old)) {
      const BlobHeader* blob = view_.table_blob(old, entry);
      sets_.push_back({entry.type,
                       entry.form,
                       {reinterpret_cast<const std::uint8_t*>(blob), blob_size(*blob)}});
    }
    fresh.rrsets = image_.rrsets_.make(image_.heap_, sets_, (old.flags & kCut) != 0);
    if (fresh.rrsets == 0) return false;
  }
  if (old.route != 0) {
    fresh.route = copy_block(old.route, sizeof(RouteHeader) + view_.route(old).size());
    if (fresh.route == 0) return false;
  }
  return true;
}

bool Compactor::copy_zone(const Record& old, std::uint32_t& zone) {
  zone = zones_[old.zone];
  if (zone == 0) {
    const ZoneState& state = view_.zone(old);
    zone = image_.zones_.allocate();
    const HeapRef ref =
        zone == 0 ? 0 : make_state(image_.heap_, options_.generation, 0, contents_of(state));
    if (ref == 0 || !copy_trees(state, ref)) return false;
    image_.zones_[zone] = {ref, 0};
    zones_[old.zone] = zone;
  }
  ++image_.zones_[zone].name_count;
  return true;
}

bool Compactor::copy_trees(const ZoneState& old, HeapRef fresh) {
  auto& state = *reinterpret_cast<ZoneState*>(image_.heap_.at(fresh));
  return copy_tree(View::chain(old), chain_of(state)) &&
         copy_tree(View::table(old), table_of(state));
}

// Null: there is none, in either.
bool Compactor::copy_tree(const Tree* from, Tree* to) {
  if (from == nullptr) return true;
  std::vector<DenialTree::Block> made, replaced;
  DenialTree tree(image_.heap_, options_.generation, made, replaced);
  return tree.copy(*to, DenialReader(from_.root.heap), *from) == DenialTree::Outcome::kDone;
}

void Compactor::link_names() {
  const View fresh = image_.view();
  for (std::uint32_t i = 1; i < image_.records_.end(); ++i) {
    const Record& child = image_.records_[i];
    if (child.name_size == 1) continue;
    const std::uint8_t* name = fresh.name_bytes(child);
    const std::size_t offset = 1U + name[0];
    NameKey key;
    set_key(key, fresh.hash_key(), name + offset, child.name_size - offset,
            child.name_size - offset);
    Record& parent = image_.records_[fresh.newest(key, 0, key.hash)];
    ++parent.children;
    if ((child.flags & kWildcard) != 0) parent.wildcard = i;
  }
}

HeapRef Compactor::copy_block(HeapRef ref, std::size_t size) {
  const HeapRef fresh = image_.heap_.allocate(size);
  if (fresh != 0) std::memcpy(image_.heap_.at(fresh), view_.heap(ref), size);
  return fresh;
}

}  // namespace brink::snapshot
