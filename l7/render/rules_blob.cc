#include "l7/render/rules_blob.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "dataplane/base/check.h"
#include "l7/http/chars.h"
#include "l7/route/rules_view.h"

namespace brink::l7::render {
namespace {

using base::IpAddress;
using route::StepKind;
using AddressRange = std::pair<IpAddress, IpAddress>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), http::to_lower);
  return out;
}

template <typename T>
std::string octets_of(const T& value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

std::string octets_of(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

IpAddress neighbour(const IpAddress& address, bool up) {
  auto bytes = address.bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    bytes[i] = static_cast<std::uint8_t>(bytes[i] + (up ? 1 : -1));
    if (bytes[i] != (up ? 0 : 0xff)) break;
  }
  return IpAddress::v6_from_wire(bytes.data());
}

// IPv4 lies mapped among the addresses of IPv6: a range that begins outside of it goes around it.
std::vector<AddressRange> of_one_family(const AddressRange& range) {
  const IpAddress first_v4 = IpAddress::v4(0), last_v4 = IpAddress::v4(0xffffffff);
  const auto& [first, last] = range;
  if (first.is_v4()) return {{first, std::min(last, last_v4)}};
  if (last < first_v4 || first > last_v4) return {range};
  std::vector<AddressRange> parts = {{first, neighbour(first_v4, false)}};
  if (last > last_v4) parts.emplace_back(neighbour(last_v4, true), last);
  return parts;
}

// Sorted, and those that overlap made one.
template <typename T>
std::vector<std::pair<T, T>> merged(std::vector<std::pair<T, T>> ranges) {
  std::erase_if(ranges, [](const auto& range) { return range.second < range.first; });
  std::sort(ranges.begin(), ranges.end());
  std::vector<std::pair<T, T>> out;
  for (const auto& range : ranges) {
    if (out.empty() || out.back().second < range.first) {
      out.push_back(range);
    } else {
      out.back().second = std::max(out.back().second, range.second);
    }
  }
  return out;
}

// The texts between the asterisks of a pattern.
std::vector<std::string> wildcard_texts(std::string_view pattern) {
  std::vector<std::string> texts(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      texts.emplace_back();
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    texts.back() += pattern[i];
  }
  return texts;
}

template <typename T>
void append(Bytes& out, const std::vector<T>& items) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(items.data());
  out.insert(out.end(), first, first + items.size() * sizeof(T));
}

}  // namespace

void RulesWriter::step(StepKind kind, std::uint8_t a, std::size_t b, std::size_t c) {
  largest_ = std::max(largest_, b);
  steps_.push_back({kind, a, static_cast<std::uint16_t>(b), static_cast<std::uint32_t>(c)});
}

// Equal octets stand once.
std::uint32_t RulesWriter::put(std::string_view octets) {
  const auto found = places_.find(octets);
  if (found != places_.end()) return found->second;
  const auto at = static_cast<std::uint32_t>(data_.size());
  data_ += octets;
  places_.emplace(octets, at);
  return at;
}

route::TextRef RulesWriter::ref(std::string_view text) {
  return {put(text), static_cast<std::uint32_t>(text.size())};
}

void RulesWriter::text(std::string_view text) {
  step(StepKind::kText, 0, text.size(), put(text));
}

void RulesWriter::number(std::int64_t number) {
  step(StepKind::kNumber, 0, 0, put(octets_of(number)));
}

void RulesWriter::compare(route::Comparison comparison, std::string_view text) {
  step(StepKind::kCompareText, octet(comparison), text.size(), put(text));
}

void RulesWriter::compare(route::Comparison comparison, std::int64_t number) {
  step(StepKind::kCompareNumber, octet(comparison), 0, put(octets_of(number)));
}

void RulesWriter::compare(route::Comparison comparison, const IpAddress& address) {
  step(StepKind::kCompareAddress, octet(comparison), 0, put(octets_of(address)));
}

void RulesWriter::compare_flag(bool is_equal, bool flag) {
  const auto comparison = is_equal ? route::Comparison::kEqual : route::Comparison::kNotEqual;
  step(StepKind::kCompareFlag, octet(comparison), flag ? 1 : 0);
}

void RulesWriter::contains(std::string_view text) {
  step(StepKind::kContains, 0, text.size(), put(text));
}

void RulesWriter::wildcard(std::string_view pattern, bool is_strict) {
  const auto texts = wildcard_texts(is_strict ? std::string(pattern) : lower(pattern));
  std::string refs;
  for (const std::string& text : texts) refs += octets_of(ref(text));
  step(StepKind::kWildcard, is_strict ? 0 : 1, texts.size(), put(refs));
}

void RulesWriter::in(std::vector<std::string> texts) {
  const std::set<std::string> sorted(texts.begin(), texts.end());
  std::string refs;
  for (const std::string& text : sorted) refs += octets_of(ref(text));
  step(StepKind::kInTexts, 0, sorted.size(), put(refs));
}

void RulesWriter::in(std::vector<std::pair<std::int64_t, std::int64_t>> ranges) {
  const auto sorted = merged(std::move(ranges));
  std::string octets;
  for (const auto& [first, last] : sorted) octets += octets_of(first) + octets_of(last);
  step(StepKind::kInNumbers, 0, sorted.size(), put(octets));
}

void RulesWriter::in(std::vector<AddressRange> ranges) {
  std::vector<AddressRange> parts;
  for (const AddressRange& range : ranges) {
    for (const AddressRange& part : of_one_family(range)) parts.push_back(part);
  }
  const auto sorted = merged(std::move(parts));
  std::string octets;
  for (const auto& [first, last] : sorted) octets += octets_of(first) + octets_of(last);
  step(StepKind::kInAddresses, 0, sorted.size(), put(octets));
}

std::size_t RulesWriter::jump_if(bool flag) {
  step(flag ? StepKind::kJumpIfTrue : StepKind::kJumpIfFalse);
  return steps_.size() - 1;
}

void RulesWriter::land(std::size_t jump) {
  steps_[jump].c = static_cast<std::uint32_t>(steps_.size() - jump);
}

void RulesWriter::add_block(route::ProgramRef condition, const BlockSpec& block) {
  route::RuleEntry rule;
  rule.condition = condition;
  rule.status = block.status;
  rule.content = ref(block.content);
  rule.content_type = block.content_type;
  rules_.push_back(rule);
}

void RulesWriter::add_changes(route::ProgramRef condition, const std::vector<ChangeSpec>& changes) {
  route::RuleEntry rule;
  rule.condition = condition;
  rule.first_change = static_cast<std::uint32_t>(changes_.size());
  rule.change_count = static_cast<std::uint16_t>(changes.size());
  for (const ChangeSpec& spec : changes) {
    route::ChangeEntry change;
    change.kind = spec.kind;
    change.shown_name = ref(spec.name);
    if (spec.kind != route::ChangeKind::kRemove) {
      if (const auto* text = std::get_if<std::string>(&spec.value)) {
        change.value = ref(*text);
      } else {
        change.has_program = 1;
        change.program = std::get<route::ProgramRef>(spec.value);
      }
    }
    changes_.push_back(change);
    change_names_.push_back(lower(spec.name));
  }
  rules_.push_back(rule);
}

base::Result<Bytes, RulesFault> RulesWriter::finish() {
  const std::set<std::string> names(change_names_.begin(), change_names_.end());
  std::vector<route::TextRef> name_refs;
  for (const std::string& name : names) name_refs.push_back(ref(name));
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    changes_[i].name =
        static_cast<std::uint16_t>(std::distance(names.begin(), names.find(change_names_[i])));
  }
  const std::size_t size =
      (sizeof(route::RulesLayout) + rules_.size() * sizeof(route::RuleEntry) +
       name_refs.size() * sizeof(route::TextRef) + changes_.size() * sizeof(route::ChangeEntry) +
       steps_.size() * sizeof(route::Step) + data_.size() + 7) &
      ~std::size_t{7};
  const RulesFault limits[] = {
      {"rules", rules_.size(), route::kRulesMax},
      {"different headers", names.size(), route::kRuleNamesMax},
      {"changes of headers", changes_.size(), route::kRuleChangesMax},
      {"operations", steps_.size(), route::kRuleStepsMax},
      {"octets in one value", largest_, 0xffff},
      {"octets", size, kRulesSizeMax},
  };
  for (const RulesFault& limit : limits) {
    if (limit.count > limit.most) return limit;
  }
  route::RulesLayout head{};
  head.magic = route::kRulesMagic;
  head.layout_version = route::kRulesLayoutVersion;
  head.phase = phase_;
  head.size_bytes = static_cast<std::uint32_t>(size);
  head.rule_count = static_cast<std::uint16_t>(rules_.size());
  head.name_count = static_cast<std::uint16_t>(names.size());
  head.change_count = static_cast<std::uint32_t>(changes_.size());
  head.step_count = static_cast<std::uint32_t>(steps_.size());
  head.data_size = static_cast<std::uint32_t>(data_.size());
  Bytes out;
  append(out, std::vector<route::RulesLayout>{head});
  append(out, rules_);
  append(out, name_refs);
  append(out, changes_);
  append(out, steps_);
  out.insert(out.end(), data_.begin(), data_.end());
  out.resize(size);
  CHECK(route::RulesView::open(out).has_value());
  return out;
}

}  // namespace brink::l7::render
