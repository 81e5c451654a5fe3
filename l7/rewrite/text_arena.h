// TextArena: room for the texts that rules make, in memory of the caller. Texts stay where they are
// until clear(). What does not fit is refused, and the arena then says so for good.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace brink::l7::rewrite {

class TextArena {
 public:
  explicit TextArena(std::span<char> room) noexcept : room_(room) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }

  // Room for a text; empty if there is none.
  std::span<char> take(std::size_t size) noexcept {
    if (size > room_.size() - used_) {
      ok_ = false;
      return {};
    }
    const std::span<char> place = room_.subspan(used_, size);
    used_ += size;
    return place;
  }

  // Both texts as one. What was taken last only grows.
  std::string_view join(std::string_view first, std::string_view second) noexcept {
    if (second.empty()) return first;
    const bool is_last = first.data() + first.size() == room_.data() + used_ &&
                         first.size() <= used_ && !first.empty();
    const std::span<char> place = take(is_last ? second.size() : first.size() + second.size());
    if (place.empty()) return {};
    char* at = place.data();
    if (!is_last && !first.empty()) {
      std::memcpy(at, first.data(), first.size());
      at += first.size();
    }
    std::memcpy(at, second.data(), second.size());
    if (is_last) return {first.data(), first.size() + second.size()};
    return {place.data(), place.size()};
  }

  // Gives back what was taken since used() was `mark`.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  void rewind(std::size_t mark) noexcept { used_ = mark; }

 private:
  std::span<char> room_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace brink::l7::rewrite
