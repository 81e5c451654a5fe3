#include "dataplane/snapshot/denial.h"

#include <algorithm>

namespace brink::snapshot {
namespace {

constexpr std::size_t kLine = 64;

// Octets of the key against those of the prefix: negative, 0 if the key starts with it, positive.
int compare_prefix(const DenialKey& key, const std::uint8_t* prefix, std::size_t size) noexcept {
  const std::size_t both = std::min<std::size_t>(key.size, size);
  std::size_t at = 0;
  for (; at + 8 <= both; at += 8) {
    const std::uint64_t ours = base::load_be64(key.bytes + at);
    const std::uint64_t theirs = base::load_be64(prefix + at);
    if (ours != theirs) return ours < theirs ? -1 : 1;
  }
  if (at < both) {
    // Zeros follow the prefix, what follows in the key does not count.
    const std::uint64_t mask = ~std::uint64_t{0} << (8 * (8 - (both - at)));
    const std::uint64_t ours = base::load_be64(key.bytes + at) & mask;
    const std::uint64_t theirs = base::load_be64(prefix + at) & mask;
    if (ours != theirs) return ours < theirs ? -1 : 1;
  }
  return key.size < size ? -1 : 0;
}

// Both are the same before `from`.
int compare_keys(const DenialKey& key, std::span<const std::uint8_t> other,
                 std::size_t from) noexcept {
  const std::size_t both = std::min<std::size_t>(key.size, other.size());
  if (both > from) {
    const int order = std::memcmp(key.bytes + from, other.data() + from, both - from);
    if (order != 0) return order;
  }
  return static_cast<int>(key.size) - static_cast<int>(other.size());
}

}  // namespace

std::size_t escape_denial_label(std::uint8_t* out, const std::uint8_t* label,
                                std::size_t size) noexcept {
  std::uint8_t* const start = out;
  for (std::size_t i = 0; i < size; ++i) {
    if (label[i] <= 1) *out++ = 1;
    *out++ = static_cast<std::uint8_t>(label[i] <= 1 ? label[i] + 1 : label[i]);
  }
  return static_cast<std::size_t>(out - start);
}

void set_denial_key(DenialKey& key, const std::uint8_t* name, std::size_t name_size,
                    std::size_t apex_size) noexcept {
  std::uint8_t labels[128];
  std::size_t count = 0;
  for (std::size_t at = 0; at + apex_size < name_size; at += 1U + name[at]) {
    labels[count++] = static_cast<std::uint8_t>(at);
  }
  key.size = 0;
  std::memset(key.bytes, 0, 16);
  while (count > 0) {
    const std::uint8_t* label = name + labels[--count];
    append_denial_label(key, label + 1, label[0]);
  }
}

DenialReader::Range DenialReader::range(const DenialNode& node, const DenialKey& key) noexcept {
  const int count = node.count;
  const std::size_t prefix_size = node.prefix_size;
  if (const int order = compare_prefix(key, denial_prefix(node), prefix_size); order != 0) {
    return order < 0 ? Range{0, 0} : Range{count, count};
  }
  // Signed compares: with the highest bits turned over they order as unsigned ones.
  const __m256i turn = _mm256_set1_epi64x(static_cast<long long>(std::uint64_t{1} << 63));
  const __m256i head = _mm256_xor_si256(
      _mm256_set1_epi64x(static_cast<long long>(base::load_be64(key.bytes + prefix_size))), turn);
  const std::uint64_t* heads = denial_heads(node);
  std::uint32_t greater = 0, equal = 0;
  for (std::uint32_t at = 0; at < node.count; at += 4) {
    const __m256i four =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(heads + at)), turn);
    const __m256i is_greater = _mm256_cmpgt_epi64(four, head);
    const __m256i is_equal = _mm256_cmpeq_epi64(four, head);
    greater |= static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(is_greater)))
               << at;
    equal |= static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(is_equal))) << at;
  }
  const std::uint32_t used = (std::uint32_t{1} << count) - 1;
  const int through = count - __builtin_popcount(greater & used);
  return {through - __builtin_popcount(equal & used), through};
}

// Of the slots whose heads are the key's, the last whose key is not behind it.
int DenialReader::settle(const DenialNode& node, const DenialKey& key, Range range,
                         bool& equal) const noexcept {
  equal = false;
  int low = range.before, high = range.through;
  while (low < high) {
    const int middle = (low + high) / 2;
    const int order = compare_keys(key, denial_key(entry(denial_entries(node)[middle])),
                                   node.prefix_size + std::size_t{8});
    if (order >= 0) {
      low = middle + 1;
      equal = order == 0;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

int DenialReader::slot(const DenialNode& node, const DenialKey& key, bool& equal) const noexcept {
  return settle(node, key, range(node, key), equal);
}

HeapRef DenialReader::last(const Tree& chain) const noexcept {
  const DenialNode* at = &node(chain.root);
  while (at->level > 0) at = &node(denial_children(*at)[at->count - 1]);
  return denial_entries(*at)[at->count - 1];
}

const DenialEntry* DenialReader::find(const Tree& chain, const DenialKey& key,
                                      bool& exact) const noexcept {
  exact = false;
  if (chain.root == 0) return nullptr;
  const DenialNode* at = &node(chain.root);
  for (;;) {
    const int found = slot(*at, key, exact);
    if (found < 0) return &entry(last(chain));
    if (at->level == 0) return &entry(denial_entries(*at)[found]);
    const HeapRef child = denial_children(*at)[found];
    prefetch_node(child);
    at = &node(child);
  }
}

void DenialReader::find(std::span<DenialQuestion> questions) const noexcept {
  while (questions.size() > kAtOnce) {
    find_some(questions.first(kAtOnce));
    questions = questions.subspan(kAtOnce);
  }
  find_some(questions);
}

// A level at a time for all; then the entries that some have to be compared with.
void DenialReader::find_some(std::span<DenialQuestion> questions) const noexcept {
  Place places[kAtOnce];
  std::size_t above = 0;  // so many have not come to the lowest level
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const HeapRef root = questions[i].chain->root;
    places[i].node = root == 0 ? nullptr : &node(root);
    above += root != 0;
    if (root != 0) prefetch_node(root);
  }
  while (above > 0) {
    above = 0;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      Place& place = places[i];
      if (place.node == nullptr || place.node->level == 0) continue;
      bool equal;
      const int found = slot(*place.node, *questions[i].key, equal);
      // What is before all others is so in each first child, too.
      const HeapRef child = denial_children(*place.node)[found < 0 ? 0 : found];
      prefetch_node(child);
      place.node = &node(child);
      ++above;
    }
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Place& place = places[i];
    if (place.node == nullptr) continue;
    place.range = range(*place.node, *questions[i].key);
    if (place.range.before != place.range.through) {
      prefetch_key(denial_entries(*place.node)[place.range.through - 1]);
    }
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    DenialQuestion& question = questions[i];
    question.hit = {};
    const DenialNode* at = places[i].node;
    if (at == nullptr) continue;
    const int found = settle(*at, *question.key, places[i].range, question.hit.exact);
    const HeapRef ref = found < 0 ? last(*question.chain) : denial_entries(*at)[found];
    question.hit.entry = &entry(ref);
  }
}

void DenialReader::prefetch_node(HeapRef ref) const noexcept {
  const auto* at = reinterpret_cast<const char*>(&node(ref));
  for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(at + line * kLine);
}

void DenialReader::prefetch_key(HeapRef ref) const noexcept {
  const auto* at = reinterpret_cast<const char*>(&entry(ref));
  for (std::size_t line = 0; line < 2; ++line) __builtin_prefetch(at + line * kLine);
}

}  // namespace brink::snapshot
