#include "l7/route/rules_view.h"

namespace brink::l7::route {

std::optional<RulesView> RulesView::open(std::span<const std::uint8_t> blob) noexcept {
  if (blob.size() < sizeof(RulesLayout) || reinterpret_cast<std::uintptr_t>(blob.data()) % 8 != 0) {
    return {};
  }
  RulesView view;
  view.head_ = reinterpret_cast<const RulesLayout*>(blob.data());
  const RulesLayout& head = *view.head_;
  if (head.magic != kRulesMagic || head.layout_version != kRulesLayoutVersion ||
      static_cast<std::size_t>(head.phase) >= kRulePhaseCount || head.size_bytes != blob.size() ||
      head.rule_count > kRulesMax || head.name_count > kRuleNamesMax ||
      head.change_count > kRuleChangesMax || head.step_count > kRuleStepsMax ||
      head.reserved != 0 || head.reserved_2 != 0) {
    return {};
  }
  const std::uint8_t* at = blob.data() + sizeof head;
  std::size_t room = blob.size() - sizeof head;
  const auto take = [&]<typename T>(std::size_t count, std::span<const T>& out) {
    if (count > room / sizeof(T)) return false;
    out = {reinterpret_cast<const T*>(at), count};
    at += count * sizeof(T);
    room -= count * sizeof(T);
    return true;
  };
  const bool is_whole = take(head.rule_count, view.rules_) && take(head.name_count, view.names_) &&
                        take(head.change_count, view.changes_) &&
                        take(head.step_count, view.steps_) && take(head.data_size, view.data_);
  if (!is_whole || room >= 8) return {};  // what is left fills up to a multiple of 8
  return view;
}

}  // namespace brink::l7::route
