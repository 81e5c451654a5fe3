// RulesView: the rules of one phase as they lie in the snapshot (rules_layout.h). Hot; any thread;
// borrows from the blob. open() checks the head and the room of the tables; what a table's entry
// refers to is checked when it is asked for, so that a look at one rule does not cost a walk over
// all of them.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "l7/route/rules_layout.h"

namespace brink::l7::route {

class RulesView {
 public:
  // Empty: the blob is none, or of another phase. `blob` starts at a multiple of 8.
  static std::optional<RulesView> open(std::span<const std::uint8_t> blob) noexcept;

  [[nodiscard]] RulePhase phase() const noexcept { return head_->phase; }
  [[nodiscard]] std::span<const RuleEntry> rules() const noexcept { return rules_; }
  [[nodiscard]] std::span<const TextRef> names() const noexcept { return names_; }

  // The parts that an entry refers to; false: they are not all there.
  [[nodiscard]] bool changes(const RuleEntry& rule,
                             std::span<const ChangeEntry>& out) const noexcept {
    return part(changes_, rule.first_change, rule.change_count, out);
  }
  [[nodiscard]] bool program(ProgramRef ref, std::span<const Step>& out) const noexcept {
    return part(steps_, ref.first, ref.count, out);
  }
  [[nodiscard]] bool text(TextRef ref, std::string_view& out) const noexcept {
    if (ref.at > data_.size() || ref.size > data_.size() - ref.at) return false;
    out = {reinterpret_cast<const char*>(data_.data()) + ref.at, ref.size};
    return true;
  }
  // Item `index` of an array of T that begins at `at`.
  template <typename T>
  [[nodiscard]] bool item(std::uint32_t at, std::size_t index, T& out) const noexcept {
    const std::uint64_t begin = at + std::uint64_t{index} * sizeof(T);
    if (begin + sizeof(T) > data_.size()) return false;
    std::memcpy(&out, data_.data() + begin, sizeof(T));
    return true;
  }

 private:
  RulesView() noexcept = default;

  template <typename T>
  static bool part(std::span<const T> all, std::size_t first, std::size_t count,
                   std::span<const T>& out) noexcept {
    if (first > all.size() || count > all.size() - first) return false;
    out = all.subspan(first, count);
    return true;
  }

  const RulesLayout* head_ = nullptr;
  std::span<const RuleEntry> rules_;
  std::span<const TextRef> names_;
  std::span<const ChangeEntry> changes_;
  std::span<const Step> steps_;
  std::span<const std::uint8_t> data_;
};

}  // namespace brink::l7::route
