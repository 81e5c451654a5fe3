#include "l7/rewrite/program.h"

#include <array>
#include <charconv>

#include "l7/http/chars.h"
#include "l7/rewrite/field_value.h"
#include "l7/rewrite/text_search.h"

namespace brink::l7::rewrite {
namespace {

using route::Comparison;
using route::RuleType;
using route::Step;
using route::StepKind;
using route::TextRef;

// Both ends included.
template <typename T>
struct Pair {
  T first, last;
};

template <typename T>
bool holds(Comparison comparison, const T& left, const T& right) noexcept {
  switch (comparison) {
    case Comparison::kEqual:
      return left == right;
    case Comparison::kNotEqual:
      return left != right;
    case Comparison::kLess:
      return left < right;
    case Comparison::kLessOrEqual:
      return left <= right;
    case Comparison::kGreater:
      return left > right;
    case Comparison::kGreaterOrEqual:
      return left >= right;
  }
  return false;
}

char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

class Machine {
 public:
  Machine(const route::RulesView& rules, const Facts& facts, TextArena& arena) noexcept
      : rules_(rules), facts_(facts), arena_(arena) {}

  // Leaves one value of `type`.
  ProgramVerdict run(route::ProgramRef program, RuleType type) noexcept;
  [[nodiscard]] const Value& result() const noexcept { return stack_[0]; }

 private:
  // Each says whether the step could be taken.
  bool take(const Step& step) noexcept;
  bool put(const Step& step) noexcept;
  bool map(const Step& step) noexcept;
  bool join(const Step& step) noexcept;
  bool test(const Step& step) noexcept;
  bool compare(const Step& step) noexcept;
  bool find_in_set(const Step& step) noexcept;
  bool find_wildcard(const Step& step) noexcept;
  template <typename T, typename Item>
  bool find_range(const Step& step, const T& wanted, Item item) noexcept;

  bool push(const Value& value) noexcept {
    if (size_ == stack_.size()) return false;
    stack_[size_++] = value;
    return true;
  }
  // The value on top, if it is of the type; null: it is not.
  Value* top(RuleType type) noexcept {
    return size_ > 0 && stack_[size_ - 1].type == type ? &stack_[size_ - 1] : nullptr;
  }
  bool put_flag(bool flag) noexcept {
    stack_[size_ - 1] = Value::of_flag(flag);
    return true;
  }
  template <typename Change>
  std::string_view mapped(std::string_view text, Change change) noexcept;

  const route::RulesView& rules_;
  const Facts& facts_;
  TextArena& arena_;
  std::size_t size_ = 0;
  std::array<Value, route::kRuleStackMax> stack_;
};

ProgramVerdict Machine::run(route::ProgramRef program, RuleType type) noexcept {
  std::span<const Step> steps;
  if (!rules_.program(program, steps)) return ProgramVerdict::kBroken;
  for (std::size_t at = 0; at < steps.size();) {
    const Step& step = steps[at];
    const bool is_jump = step.kind == StepKind::kJumpIfTrue || step.kind == StepKind::kJumpIfFalse;
    if (!is_jump) {
      if (!take(step)) return arena_.ok() ? ProgramVerdict::kBroken : ProgramVerdict::kTooLarge;
      ++at;
      continue;
    }
    const Value* flag = top(RuleType::kFlag);
    if (flag == nullptr || step.c == 0 || step.c > steps.size() - at) {
      return ProgramVerdict::kBroken;
    }
    at += flag->flag == (step.kind == StepKind::kJumpIfTrue) ? step.c : 1;
  }
  if (!arena_.ok()) return ProgramVerdict::kTooLarge;
  return size_ == 1 && top(type) != nullptr ? ProgramVerdict::kDone : ProgramVerdict::kBroken;
}

bool Machine::take(const Step& step) noexcept {
  switch (step.kind) {
    case StepKind::kField:
    case StepKind::kText:
    case StepKind::kNumber:
    case StepKind::kFlag:
      return put(step);
    case StepKind::kLower:
    case StepKind::kUpper:
    case StepKind::kLength:
    case StepKind::kToText:
      return map(step);
    case StepKind::kStartsWith:
    case StepKind::kEndsWith:
    case StepKind::kConcat:
    case StepKind::kXor:
      return join(step);
    case StepKind::kCompareText:
    case StepKind::kCompareNumber:
    case StepKind::kCompareFlag:
    case StepKind::kCompareAddress:
      return compare(step);
    case StepKind::kContains:
    case StepKind::kWildcard:
    case StepKind::kInTexts:
    case StepKind::kInNumbers:
    case StepKind::kInAddresses:
    case StepKind::kNot:
      return test(step);
    case StepKind::kDrop:
      if (size_ == 0) return false;
      --size_;
      return true;
    case StepKind::kJumpIfTrue:
    case StepKind::kJumpIfFalse:
      break;
  }
  return false;
}

bool Machine::put(const Step& step) noexcept {
  if (step.kind == StepKind::kField) {
    if (step.a >= route::kRuleFieldCount) return false;
    return push(field_value(static_cast<route::RuleField>(step.a), facts_, arena_)) && arena_.ok();
  }
  if (step.kind == StepKind::kFlag) return push(Value::of_flag(step.a != 0));
  if (step.kind == StepKind::kText) {
    std::string_view text;
    return rules_.text({step.c, step.b}, text) && push(Value::of_text(text));
  }
  std::int64_t number;
  return rules_.item(step.c, 0, number) && push(Value::of_number(number));
}

// A template, so that the compiler can change many octets at a time.
template <typename Change>
std::string_view Machine::mapped(std::string_view text, Change change) noexcept {
  const std::span<char> place = arena_.take(text.size());
  for (std::size_t i = 0; i < place.size(); ++i) place[i] = change(text[i]);
  return {place.data(), place.size()};
}

bool Machine::map(const Step& step) noexcept {
  if (size_ == 0) return false;
  Value& value = stack_[size_ - 1];
  if (step.kind != StepKind::kToText) {
    if (value.type != RuleType::kText) return false;
    if (step.kind == StepKind::kLength) {
      value = Value::of_number(static_cast<std::int64_t>(value.text.size()));
      return true;
    }
    value.text = step.kind == StepKind::kLower
                     ? mapped(value.text, [](char c) { return http::to_lower(c); })
                     : mapped(value.text, [](char c) { return to_upper(c); });
    return arena_.ok();
  }
  switch (value.type) {
    case RuleType::kText:
      return true;
    case RuleType::kFlag:
      value = Value::of_text(std::string_view(value.flag ? "true" : "false"));
      return true;
    case RuleType::kNumber: {
      std::array<char, 24> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.number);
      const std::string_view text(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
      value = Value::of_text(arena_.join({}, text));
      return arena_.ok();
    }
    case RuleType::kAddress: {
      const auto address = base::IpAddress::v6_from_wire(value.address.data());
      value = Value::of_text(arena_.join({}, address.text().view()));
      return arena_.ok();
    }
  }
  return false;
}

bool Machine::join(const Step& step) noexcept {
  if (size_ < 2) return false;
  const Value& right = stack_[size_ - 1];
  Value& left = stack_[size_ - 2];
  const RuleType wanted = step.kind == StepKind::kXor ? RuleType::kFlag : RuleType::kText;
  if (left.type != wanted || right.type != wanted) return false;
  if (step.kind == StepKind::kXor) left = Value::of_flag(left.flag != right.flag);
  if (step.kind == StepKind::kStartsWith) left = Value::of_flag(left.text.starts_with(right.text));
  if (step.kind == StepKind::kEndsWith) left = Value::of_flag(left.text.ends_with(right.text));
  if (step.kind == StepKind::kConcat) left = Value::of_text(arena_.join(left.text, right.text));
  --size_;
  return arena_.ok();
}

bool Machine::compare(const Step& step) noexcept {
  if (step.a >= route::kComparisonCount) return false;
  const auto comparison = static_cast<Comparison>(step.a);
  if (step.kind == StepKind::kCompareFlag) {
    const Value* value = top(RuleType::kFlag);
    return value != nullptr && put_flag(holds(comparison, value->flag, step.b != 0));
  }
  if (step.kind == StepKind::kCompareNumber) {
    const Value* value = top(RuleType::kNumber);
    std::int64_t number;
    return value != nullptr && rules_.item(step.c, 0, number) &&
           put_flag(holds(comparison, value->number, number));
  }
  if (step.kind == StepKind::kCompareAddress) {
    const Value* value = top(RuleType::kAddress);
    AddressOctets address;
    return value != nullptr && rules_.item(step.c, 0, address) &&
           put_flag(holds(comparison, value->address, address));
  }
  const Value* value = top(RuleType::kText);
  std::string_view text;
  return value != nullptr && rules_.text({step.c, step.b}, text) &&
         put_flag(holds(comparison, value->text, text));
}

bool Machine::test(const Step& step) noexcept {
  if (step.kind == StepKind::kNot) {
    const Value* value = top(RuleType::kFlag);
    return value != nullptr && put_flag(!value->flag);
  }
  if (step.kind == StepKind::kWildcard) return find_wildcard(step);
  if (step.kind != StepKind::kContains) return find_in_set(step);
  const Value* value = top(RuleType::kText);
  std::string_view text;
  return value != nullptr && rules_.text({step.c, step.b}, text) &&
         put_flag(position_of(value->text, text) != std::string_view::npos);
}

// The first range that does not end before what is wanted has it, or none does.
template <typename T, typename Item>
bool Machine::find_range(const Step& step, const T& wanted, Item item) noexcept {
  std::size_t from = 0, to = step.b;
  Pair<T> range;
  while (from < to) {
    const std::size_t middle = from + (to - from) / 2;
    if (!item(middle, range)) return false;
    if (range.last < wanted) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  if (from == step.b) return put_flag(false);
  return item(from, range) && put_flag(range.first <= wanted);
}

bool Machine::find_in_set(const Step& step) noexcept {
  const auto plain = [&]<typename T>(std::size_t index, Pair<T>& out) {
    return rules_.item(step.c, index, out);
  };
  if (step.kind == StepKind::kInNumbers) {
    const Value* value = top(RuleType::kNumber);
    return value != nullptr && find_range(step, value->number, plain);
  }
  if (step.kind == StepKind::kInAddresses) {
    const Value* value = top(RuleType::kAddress);
    return value != nullptr && find_range(step, value->address, plain);
  }
  const auto text = [&](std::size_t index, Pair<std::string_view>& out) {
    TextRef ref;
    if (!rules_.item(step.c, index, ref) || !rules_.text(ref, out.first)) return false;
    out.last = out.first;
    return true;
  };
  const Value* value = top(RuleType::kText);
  return value != nullptr && find_range(step, value->text, text);
}

// The first text begins the value, the last ends it, and each between is taken where it first
// comes: no place further on could leave more to those behind it.
bool Machine::find_wildcard(const Step& step) noexcept {
  const Value* value = top(RuleType::kText);
  if (value == nullptr || step.b == 0) return false;
  const std::size_t mark = arena_.used();
  std::string_view rest = value->text;
  if (step.a != 0) {
    rest = mapped(rest, [](char c) { return http::to_lower(c); });
    if (!arena_.ok()) return false;
  }
  bool fits = true;
  for (std::size_t i = 0; i < step.b && fits; ++i) {
    TextRef ref;
    std::string_view part;
    if (!rules_.item(step.c, i, ref) || !rules_.text(ref, part)) return false;
    const bool is_first = i == 0, is_last = i + 1 == step.b;
    std::size_t at = 0;
    if (is_first && is_last) {
      fits = rest == part;
    } else if (is_first) {
      fits = rest.starts_with(part);
    } else if (is_last) {
      fits = rest.ends_with(part);
    } else {
      at = position_of(rest, part);
      fits = at != std::string_view::npos;
    }
    if (fits) rest.remove_prefix(at + part.size());
  }
  arena_.rewind(mark);
  return put_flag(fits);
}

}  // namespace

ProgramVerdict run_condition(const route::RulesView& rules, route::ProgramRef program,
                             const Facts& facts, TextArena& arena, bool& out) noexcept {
  const std::size_t mark = arena.used();
  Machine machine(rules, facts, arena);
  const ProgramVerdict verdict = machine.run(program, RuleType::kFlag);
  if (verdict == ProgramVerdict::kDone) out = machine.result().flag;
  arena.rewind(mark);
  return verdict;
}

ProgramVerdict run_text(const route::RulesView& rules, route::ProgramRef program,
                        const Facts& facts, TextArena& arena, std::string_view& out) noexcept {
  Machine machine(rules, facts, arena);
  const ProgramVerdict verdict = machine.run(program, RuleType::kText);
  if (verdict == ProgramVerdict::kDone) out = machine.result().text;
  return verdict;
}

}  // namespace brink::l7::rewrite
