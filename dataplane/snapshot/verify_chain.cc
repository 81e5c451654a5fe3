#include "dataplane/snapshot/verify_chain.h"

#include <algorithm>
#include <string>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

using Bytes = std::span<const std::uint8_t>;

base::Error bad(const std::string& what) {
  return {what, "image", "publish a fresh image"};
}

// The wire size of the labels that a key is of, each with its length; or kNameMax: it is no key.
std::size_t labels_size_of(Bytes key) {
  std::size_t size = 0, label = 0;
  for (std::size_t at = 0; at < key.size(); ++at) {
    if (key[at] == 0) {
      if (label == 0 || label > kLabelMax) return kNameMax;
      size += 1 + label;
      label = 0;
      continue;
    }
    if (key[at] == 1 && (++at == key.size() || key[at] < 1 || key[at] > 2)) return kNameMax;
    ++label;
  }
  return label == 0 ? std::min(size, kNameMax) : kNameMax;
}

bool is_lower(Bytes key) {
  return std::none_of(key.begin(), key.end(),
                      [](std::uint8_t octet) { return octet >= 'A' && octet <= 'Z'; });
}

// What the entries of a tree are.
struct Content {
  const char* of;     // "its chain"
  const char* entry;  // "record"
  std::function<base::Result<void>(const DenialEntry&)> check;
};

class TreeVerifier {
 public:
  TreeVerifier(Bytes heap, const Content& content,
               const std::function<bool(HeapRef, std::size_t)>& take)
      : heap_(heap), content_(content), reader_(heap.data()), take_(take) {}

  base::Result<void> run(const Tree& tree);

 private:
  base::Result<void> check_node(HeapRef ref, std::uint32_t level, HeapRef& first);
  base::Result<void> check_slots(const DenialNode& node);
  base::Result<void> check_entry(HeapRef ref);
  [[nodiscard]] Bytes heap(HeapRef ref) const {
    const std::uint64_t at = std::uint64_t{ref} * kHeapUnit;
    if (ref == 0 || at >= heap_.size()) return {};
    return heap_.subspan(at);
  }
  [[nodiscard]] base::Error bad_node(const char* what) const {
    return bad(std::string("a node of ") + content_.of + " " + what);
  }
  [[nodiscard]] base::Error bad_entry(const char* what) const {
    return bad(std::string("a ") + content_.entry + " of " + content_.of + " " + what);
  }

  const Bytes heap_;
  const Content& content_;
  const DenialReader reader_;
  const std::function<bool(HeapRef, std::size_t)>& take_;
  std::uint32_t count_ = 0;
  Bytes last_key_;  // of the entry before
};

base::Result<void> TreeVerifier::run(const Tree& tree) {
  if ((tree.root == 0) != (tree.count == 0) || (tree.root == 0) != (tree.height == 0) ||
      tree.height > kDenialHeightMax) {
    return bad(std::string(content_.of) + " has a wrong height");
  }
  if (tree.root == 0) return {};
  HeapRef first;
  if (auto checked = check_node(tree.root, tree.height - 1U, first); !checked) return checked;
  if (count_ != tree.count) return bad(std::string(content_.of) + " has another number of entries");
  return {};
}

// In the order of the entries. `first`: the first one in it.
base::Result<void> TreeVerifier::check_node(HeapRef ref, std::uint32_t level, HeapRef& first) {
  const Bytes room = heap(ref);
  if (room.size() < sizeof(DenialNode)) return bad_node("is out of bounds");
  const DenialNode& node = reader_.node(ref);
  if (node.level != level || node.count == 0 || node.count > kDenialFanout ||
      node.prefix_size > kDenialKeyMax) {
    return bad_node("is malformed");
  }
  const std::size_t size = denial_node_size(node.prefix_size, node.count, node.level);
  if (size > room.size()) return bad_node("is out of bounds");
  if (!take_(ref, size)) return bad_node("shares memory");
  for (std::uint32_t i = 0; i < node.count; ++i) {
    HeapRef below = denial_entries(node)[i];
    const auto checked =
        level == 0 ? check_entry(below) : check_node(denial_children(node)[i], level - 1, below);
    if (!checked) return checked;
    if (below != denial_entries(node)[i]) return bad_node("has another first entry");
  }
  first = denial_entries(node)[0];
  return check_slots(node);
}

// Once its entries are known to be good.
base::Result<void> TreeVerifier::check_slots(const DenialNode& node) {
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const Bytes key = denial_key(reader_.entry(denial_entries(node)[i]));
    if (key.size() < node.prefix_size ||
        !std::equal(key.begin(), key.begin() + node.prefix_size, denial_prefix(node)) ||
        denial_head(key, node.prefix_size) != denial_heads(node)[i]) {
      return bad_node("does not fit its entries' keys");
    }
  }
  return {};
}

base::Result<void> TreeVerifier::check_entry(HeapRef ref) {
  const Bytes room = heap(ref);
  if (room.size() < sizeof(DenialEntry)) return bad_entry("is out of bounds");
  const DenialEntry& entry = reader_.entry(ref);
  const std::size_t size = denial_entry_size(entry);
  if (entry.key_size > kDenialKeyMax || size > room.size() ||
      denial_blob_offset(entry.key_size) >= size) {
    return bad_entry("is out of bounds");
  }
  if (auto checked = content_.check(entry); !checked) return checked;
  if (!take_(ref, size)) return bad_entry("shares memory");
  const Bytes key = denial_key(entry);
  if (count_ > 0 &&
      !std::lexicographical_compare(last_key_.begin(), last_key_.end(), key.begin(), key.end())) {
    return bad(std::string(content_.of) + " is not in order");
  }
  last_key_ = key;
  ++count_;
  return {};
}

base::Result<void> check_record(const DenialEntry& entry, std::size_t apex_size) {
  const Bytes key = denial_key(entry);
  if (labels_size_of(key) + apex_size > kNameMax || !is_lower(key)) {
    return bad("a record of its chain has a malformed name");
  }
  const Bytes room = table_value(entry);
  if (auto verified = verify_free_blob(room); !verified) return verified;
  const BlobHeader& blob = denial_blob(entry);
  if (room.size() - blob_size(blob) >= kHeapUnit) {
    return bad("a record of its chain has more than a blob");
  }
  if (!is_owner(key, blob)) return bad("a record of its chain has another's name");
  return {};
}

base::Result<void> check_value(const DenialEntry& entry) {
  if (entry.key_size == 0 || entry.key_size > kTableKeyMax) {
    return bad("a value of its table has a malformed key");
  }
  return {};
}

base::Result<void> check_header(const DenialChain& chain) {
  const bool hashed = chain.kind == DenialKind::kNsec3;
  if (!hashed && chain.kind != DenialKind::kNsec && chain.kind != DenialKind::kNone) {
    return bad("its chain is of an unknown kind");
  }
  if (chain.iterations > kNsec3IterationsMax || chain.salt_size > kNsec3SaltMax ||
      (!hashed && (chain.iterations != 0 || chain.salt_size != 0))) {
    return bad("its chain has too many iterations or too much salt");
  }
  if (chain.has_table > 1) return bad("its chain is malformed");
  if (chain.kind == DenialKind::kNone && (chain.root != 0 || chain.has_table == 0)) {
    return bad("its chain is there without being one");
  }
  return {};
}

}  // namespace

base::Result<void> verify_chain(const ChainPlace& place,
                                const std::function<bool(HeapRef, std::size_t)>& take) {
  if (place.room.size() < sizeof(DenialChain)) return bad("its chain is out of bounds");
  const auto& chain = *reinterpret_cast<const DenialChain*>(place.room.data());
  if (auto checked = check_header(chain); !checked) return checked;
  if (denial_chain_size(chain) > place.room.size()) return bad("its chain is out of bounds");
  const Content records{"its chain", "record", [&place](const DenialEntry& entry) {
                          return check_record(entry, place.apex_size);
                        }};
  if (auto run = TreeVerifier(place.heap, records, take).run(chain); !run) return run;
  if (chain.has_table == 0) return {};
  const Tree& table = table_behind(chain);
  if (table.root == 0) return bad("its table is empty");
  const Content values{"its table", "value", check_value};
  return TreeVerifier(place.heap, values, take).run(table);
}

}  // namespace brink::snapshot
