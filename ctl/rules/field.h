// The fields that an expression may ask for: one table of names, types, and where each is known.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace brink::ctl::rules {

enum class Type : std::uint8_t { kText, kNumber, kFlag, kAddress };

std::string_view to_text(Type type);  // "a string", "a number", ...

// When a rule is looked at: a response has everything that its request had.
enum class Stage : std::uint8_t { kRequest, kResponse };

struct Field {
  std::string_view name;
  Type type;
  Stage stage = Stage::kRequest;  // from here on
};

// Sorted by name.
std::span<const Field> fields();
// Null: there is none.
const Field* find_field(std::string_view name);

}  // namespace brink::ctl::rules
