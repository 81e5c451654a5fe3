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

class ChainVerifier {
 public:
  ChainVerifier(const ChainPlace& place, const std::function<bool(HeapRef, std::size_t)>& take)
      : place_(place), reader_(place.heap.data()), take_(take) {}

  base::Result<void> run();

 private:
  base::Result<void> check_header(const DenialChain& chain) const;
  base::Result<void> check_node(HeapRef ref, std::uint32_t level, HeapRef& first);
  base::Result<void> check_slots(const DenialNode& node);
  base::Result<void> check_entry(HeapRef ref);
  [[nodiscard]] Bytes heap(HeapRef ref) const {
    const std::uint64_t at = std::uint64_t{ref} * kHeapUnit;
    if (ref == 0 || at >= place_.heap.size()) return {};
    return place_.heap.subspan(at);
  }

  const ChainPlace& place_;
  const DenialReader reader_;
  const std::function<bool(HeapRef, std::size_t)>& take_;
  std::uint32_t count_ = 0;
  Bytes last_key_;  // of the entry before
};

base::Result<void> ChainVerifier::run() {
  if (place_.room.size() < sizeof(DenialChain)) return bad("its chain is out of bounds");
  const auto& chain = *reinterpret_cast<const DenialChain*>(place_.room.data());
  if (auto checked = check_header(chain); !checked) return checked;
  if (chain.root == 0) return {};
  HeapRef first;
  if (auto checked = check_node(chain.root, chain.height - 1U, first); !checked) return checked;
  if (count_ != chain.count) return bad("its chain's number of records is wrong");
  return {};
}

base::Result<void> ChainVerifier::check_header(const DenialChain& chain) const {
  if (chain.kind != DenialKind::kNsec && chain.kind != DenialKind::kNsec3) {
    return bad("its chain is of an unknown kind");
  }
  if (chain.iterations > kNsec3IterationsMax || chain.salt_size > kNsec3SaltMax ||
      (chain.kind == DenialKind::kNsec && (chain.iterations != 0 || chain.salt_size != 0))) {
    return bad("its chain has too many iterations or too much salt");
  }
  if (chain.salt_size > place_.room.size() - sizeof chain) return bad("its chain is out of bounds");
  if ((chain.root == 0) != (chain.count == 0) || (chain.root == 0) != (chain.height == 0) ||
      chain.height > kDenialHeightMax) {
    return bad("its chain has a wrong height");
  }
  return {};
}

// In the order of the records. `first`: the first entry in it.
base::Result<void> ChainVerifier::check_node(HeapRef ref, std::uint32_t level, HeapRef& first) {
  const Bytes room = heap(ref);
  if (room.size() < sizeof(DenialNode)) return bad("a node of its chain is out of bounds");
  const DenialNode& node = reader_.node(ref);
  if (node.level != level || node.count == 0 || node.count > kDenialFanout ||
      node.prefix_size > kDenialKeyMax) {
    return bad("a node of its chain is malformed");
  }
  const std::size_t size = denial_node_size(node.prefix_size, node.count, node.level);
  if (size > room.size()) return bad("a node of its chain is out of bounds");
  if (!take_(ref, size)) return bad("a node of its chain shares memory");
  for (std::uint32_t i = 0; i < node.count; ++i) {
    HeapRef below = denial_entries(node)[i];
    const auto checked =
        level == 0 ? check_entry(below) : check_node(denial_children(node)[i], level - 1, below);
    if (!checked) return checked;
    if (below != denial_entries(node)[i])
      return bad("a node of its chain has another first record");
  }
  first = denial_entries(node)[0];
  return check_slots(node);
}

// Once its entries are known to be good.
base::Result<void> ChainVerifier::check_slots(const DenialNode& node) {
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const Bytes key = denial_key(reader_.entry(denial_entries(node)[i]));
    if (key.size() < node.prefix_size ||
        !std::equal(key.begin(), key.begin() + node.prefix_size, denial_prefix(node)) ||
        denial_head(key, node.prefix_size) != denial_heads(node)[i]) {
      return bad("a node of its chain does not fit its records' names");
    }
  }
  return {};
}

base::Result<void> ChainVerifier::check_entry(HeapRef ref) {
  const Bytes room = heap(ref);
  if (room.size() < sizeof(DenialEntry)) return bad("a record of its chain is out of bounds");
  const DenialEntry& entry = reader_.entry(ref);
  const std::size_t blob_at = denial_blob_offset(entry.key_size);
  if (entry.key_size > kDenialKeyMax || blob_at > room.size()) {
    return bad("a record of its chain is out of bounds");
  }
  const Bytes key = denial_key(entry);
  if (labels_size_of(key) + place_.apex_size > kNameMax || !is_lower(key)) {
    return bad("a record of its chain has a malformed name");
  }
  if (auto verified = verify_free_blob(room.subspan(blob_at)); !verified) return verified;
  const BlobHeader& blob = denial_blob(entry);
  if (!take_(ref, blob_at + blob_size(blob))) return bad("a record of its chain shares memory");
  if (!is_owner(key, blob)) return bad("a record of its chain has another's name");
  if (count_ > 0 &&
      !std::lexicographical_compare(last_key_.begin(), last_key_.end(), key.begin(), key.end())) {
    return bad("its chain is not in order");
  }
  last_key_ = key;
  ++count_;
  return {};
}

}  // namespace

base::Result<void> verify_chain(const ChainPlace& place,
                                const std::function<bool(HeapRef, std::size_t)>& take) {
  return ChainVerifier(place, take).run();
}

}  // namespace brink::snapshot
