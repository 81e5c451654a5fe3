// HeaderEdits: what the rules of one phase make of the headers of one message. Fixed room, no
// allocation; the values borrow from facts, arena and blob.
//
//   edits.start(view)                  the headers that this phase's rules can change
//   edits.set / add / remove           as the rules run
//   edits.takes_away(name)             for each header that the message has
//   edits.for_each(write)              what comes behind those that are left
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/route/rules_view.h"

namespace brink::l7::rewrite {

class HeaderEdits {
 public:
  HeaderEdits() noexcept {}  // NOLINT: only what start() and the counts cover is ever read

  // Forgets all; false: the blob's names are not what they should be.
  bool start(const route::RulesView& rules) noexcept;
  // As if nothing was said.
  void clear() noexcept { value_count_ = name_count_ = 0; }

  // `name`: number of a name of the blob, below its count. Each false: no room.
  // Takes away what is there by then, from the message as from rules before, and puts the value. An
  // empty value puts nothing.
  bool set(std::uint16_t name, std::string_view shown_name, std::string_view value) noexcept {
    remove(name);
    return add(name, shown_name, value);
  }
  // Puts the value beside what is there. An empty value puts nothing.
  bool add(std::uint16_t name, std::string_view shown_name, std::string_view value) noexcept;
  void remove(std::uint16_t name) noexcept {
    names_[name].is_taken_away = true;
    names_[name].first_value = value_count_;
  }

  [[nodiscard]] std::uint16_t name_count() const noexcept { return name_count_; }
  // Whether a header of the message does not stay. Any case; O(log names).
  [[nodiscard]] bool takes_away(std::string_view name) const noexcept;
  // Calls write(name, value) for what is put, in the order of the rules.
  template <typename Write>
  void for_each(Write write) const noexcept {
    for (std::uint16_t i = 0; i < value_count_; ++i) {
      const Put& put = values_[i];
      if (i >= names_[put.name].first_value) write(put.shown_name, put.value);
    }
  }

 private:
  struct Name {
    std::string_view text;          // lower case
    std::uint16_t first_value = 0;  // values before it were taken away again
    bool is_taken_away = false;
  };
  struct Put {
    std::string_view shown_name, value;
    std::uint16_t name;
    Put() noexcept {}  // NOLINT
  };

  std::uint16_t name_count_ = 0;
  std::uint16_t value_count_ = 0;
  std::array<Name, route::kRuleNamesMax> names_;
  std::array<Put, route::kRuleChangesMax> values_;
};

}  // namespace brink::l7::rewrite
