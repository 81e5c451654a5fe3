#include "ctl/store/key.h"

#include "dataplane/base/check.h"

namespace brink::ctl::store {
namespace {

constexpr std::uint8_t kLabelEnd = 0, kEscape = 1;
constexpr std::size_t kLabelMax = 63, kWireMax = 255, kLabelsMax = 127;  // RFC 1035 2.3.4
constexpr model::RecordType kTypeSvcb = 64, kTypeHttps = 65;

// In lower case.
void append_label(TreeKey& key, std::span<const std::uint8_t> label) {
  for (const std::uint8_t octet : label) {
    if (octet > kEscape) {
      key.push_back(octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A'))
                                                 : octet);
    } else {
      key.insert(key.end(), {kEscape, static_cast<std::uint8_t>(octet + 1)});
    }
  }
  key.push_back(kLabelEnd);
}

// Octets before the target in the data of a type; empty: it has none.
std::optional<std::size_t> target_offset(model::RecordType type) {
  switch (type) {
    case model::kTypeNs:
    case model::kTypeCname:
    case model::kTypeDname:
      return 0;
    case model::kTypeMx:
    case kTypeSvcb:
    case kTypeHttps:
      return 2;
    case model::kTypeSrv:
      return 6;
    default:
      return std::nullopt;
  }
}

}  // namespace

TreeKey tree_key(const model::DomainName& name) {
  if (name.text().find('\\') == std::string::npos) {  // its octets are its characters
    TreeKey key;
    key.reserve(name.text().size() + 1);
    for (std::string_view rest = name.text(); !rest.empty();) {
      const std::size_t dot = rest.rfind('.');
      const std::string_view label = dot == std::string_view::npos ? rest : rest.substr(dot + 1);
      key.insert(key.end(), label.begin(), label.end());
      key.push_back(kLabelEnd);
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
    }
    return key;
  }
  const std::vector<std::uint8_t> wire = name.wire();
  std::vector<std::span<const std::uint8_t>> labels;
  for (std::size_t at = 0; wire[at] != 0; at += 1U + wire[at]) {
    labels.push_back(std::span(wire).subspan(at + 1, wire[at]));
  }
  TreeKey key;
  key.reserve(wire.size());
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) append_label(key, *label);
  return key;
}

model::DomainName name_of(std::span<const std::uint8_t> key) {
  std::vector<std::vector<std::uint8_t>> labels(1);
  for (std::size_t at = 0; at < key.size(); ++at) {
    if (key[at] == kLabelEnd) {
      labels.emplace_back();
    } else if (key[at] == kEscape && at + 1 < key.size()) {
      labels.back().push_back(static_cast<std::uint8_t>(key[++at] - 1));
    } else {
      labels.back().push_back(key[at]);
    }
  }
  labels.pop_back();
  std::vector<std::uint8_t> wire;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    wire.push_back(static_cast<std::uint8_t>(label->size()));
    wire.insert(wire.end(), label->begin(), label->end());
  }
  wire.push_back(0);
  auto name = model::DomainName::from_wire(wire);
  CHECK(name.has_value());
  return *std::move(name);
}

TreeKey end_of_subtree(TreeKey key) {
  // The key of the root is empty: every key is below it, and no label has 64 octets.
  if (key.empty()) return TreeKey(64, 0xff);
  key.back() = kLabelEnd + 1;
  return key;
}

std::optional<TreeKey> target_key(model::RecordType type, std::span<const std::uint8_t> rdata) {
  const auto offset = target_offset(type);
  if (!offset || *offset >= rdata.size()) return std::nullopt;
  const auto name = rdata.subspan(*offset);
  std::uint8_t labels[kLabelsMax];  // where they begin
  std::size_t count = 0, at = 0;
  while (at < name.size() && name[at] != 0) {
    if (name[at] > kLabelMax || count == kLabelsMax) return std::nullopt;
    labels[count++] = static_cast<std::uint8_t>(at);
    at += 1U + name[at];
  }
  if (at >= name.size() || at >= kWireMax || count == 0) return std::nullopt;
  TreeKey key;
  key.reserve(at);
  while (count-- > 0) {
    const std::size_t label = labels[count];
    append_label(key, name.subspan(label + 1, name[label]));
  }
  return key;
}

}  // namespace brink::ctl::store
