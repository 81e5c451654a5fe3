// RulesWriter: the rules of one phase into the blob that the edge runs (l7/route/rules_layout.h).
// Cold; it allocates. Deterministic.
//
//   const ProgramRef condition = writer.program([&] { writer.field(...); writer.compare_text(...);
//   }); writer.add_block(condition, {...}); auto blob = writer.finish();
//
// What is put on the stack and what is taken from it is the caller's to match; the edge refuses to
// go on with a program where it does not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"
#include "l7/render/tls_blob.h"
#include "l7/route/rules_layout.h"

namespace brink::l7::render {

// Octets of a blob at most.
inline constexpr std::size_t kRulesSizeMax = 256 * 1024;

struct BlockSpec {
  std::uint16_t status = 403;
  route::BlockContent content_type = route::BlockContent::kDefaultPage;
  std::string content;
};

struct ChangeSpec {
  route::ChangeKind kind = route::ChangeKind::kSet;
  std::string name;
  // The value: a text or what a program gives; of kRemove not looked at.
  std::variant<std::string, route::ProgramRef> value;
};

// Why the rules are no blob: there are more of something than the edge has room for.
struct RulesFault {
  std::string what;  // "operations"
  std::size_t count = 0;
  std::size_t most = 0;
};

class RulesWriter {
 public:
  explicit RulesWriter(route::RulePhase phase) : phase_(phase) {}

  // The steps that `write` makes by the calls below.
  template <typename Write>
  route::ProgramRef program(Write write) {
    const auto first = static_cast<std::uint32_t>(steps_.size());
    write();
    return {first, static_cast<std::uint32_t>(steps_.size()) - first};
  }

  void field(route::RuleField field) { step(route::StepKind::kField, octet(field)); }
  void text(std::string_view text);
  void number(std::int64_t number);
  void flag(bool flag) { step(route::StepKind::kFlag, flag ? 1 : 0); }
  // A step without parameters.
  void apply(route::StepKind kind) { step(kind); }
  void compare(route::Comparison comparison, std::string_view text);
  void compare(route::Comparison comparison, std::int64_t number);
  void compare(route::Comparison comparison, const base::IpAddress& address);
  // `is_equal` false: not equal.
  void compare_flag(bool is_equal, bool flag);
  void contains(std::string_view text);
  // `pattern` has asterisks for anything, and \ before those that mean themselves.
  void wildcard(std::string_view pattern, bool is_strict);
  void in(std::vector<std::string> texts);
  // Both ends included.
  void in(std::vector<std::pair<std::int64_t, std::int64_t>> ranges);
  // Of one family each: a range of IPv6 has no IPv4 address.
  void in(std::vector<std::pair<base::IpAddress, base::IpAddress>> ranges);
  // A jump over the steps from here to its land().
  std::size_t jump_if(bool flag);
  void land(std::size_t jump);

  void add_block(route::ProgramRef condition, const BlockSpec& block);
  void add_changes(route::ProgramRef condition, const std::vector<ChangeSpec>& changes);

  // Once, at the end.
  base::Result<Bytes, RulesFault> finish();

 private:
  template <typename Enum>
  static std::uint8_t octet(Enum value) {
    return static_cast<std::uint8_t>(value);
  }
  void step(route::StepKind kind, std::uint8_t a = 0, std::size_t b = 0, std::size_t c = 0);
  std::uint32_t put(std::string_view octets);
  route::TextRef ref(std::string_view text);

  const route::RulePhase phase_;
  std::vector<route::RuleEntry> rules_;
  std::vector<route::ChangeEntry> changes_;
  std::vector<std::string> change_names_;  // lower case, one a change
  std::vector<route::Step> steps_;
  std::string data_;
  std::map<std::string, std::uint32_t, std::less<>> places_;  // of what is in data_
  std::size_t largest_ = 0;  // parameter of a step that has 16 bits for it
};

}  // namespace brink::l7::render
