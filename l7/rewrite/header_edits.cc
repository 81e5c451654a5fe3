#include "l7/rewrite/header_edits.h"

#include <algorithm>

#include "l7/http/chars.h"

namespace brink::l7::rewrite {
namespace {

// Less than, equal to or greater than zero, as `name` without regard to case comes before, at or
// behind `lower`.
int compare_ignoring_case(std::string_view name, std::string_view lower) noexcept {
  const std::size_t common = std::min(name.size(), lower.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto left = static_cast<unsigned char>(http::to_lower(name[i]));
    const auto right = static_cast<unsigned char>(lower[i]);
    if (left != right) return left < right ? -1 : 1;
  }
  if (name.size() == lower.size()) return 0;
  return name.size() < lower.size() ? -1 : 1;
}

}  // namespace

bool HeaderEdits::start(const route::RulesView& rules) noexcept {
  clear();
  const auto refs = rules.names();
  if (refs.size() > names_.size()) return false;
  for (const route::TextRef& ref : refs) {
    Name name;
    if (!rules.text(ref, name.text)) return false;
    names_[name_count_++] = name;
  }
  return true;
}

bool HeaderEdits::add(std::uint16_t name, std::string_view shown_name,
                      std::string_view value) noexcept {
  if (value.empty()) return true;
  if (value_count_ == values_.size()) return false;
  Put& put = values_[value_count_++];
  put.shown_name = shown_name;
  put.value = value;
  put.name = name;
  return true;
}

bool HeaderEdits::takes_away(std::string_view name) const noexcept {
  std::size_t from = 0, to = name_count_;
  while (from < to) {
    const std::size_t middle = from + (to - from) / 2;
    const int order = compare_ignoring_case(name, names_[middle].text);
    if (order == 0) return names_[middle].is_taken_away;
    if (order < 0) {
      to = middle;
    } else {
      from = middle + 1;
    }
  }
  return false;
}

}  // namespace brink::l7::rewrite
