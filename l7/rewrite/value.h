// Value: what lies on the stack of a program. Private to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/route/rules_layout.h"

namespace brink::l7::rewrite {

using AddressOctets = std::array<std::uint8_t, 16>;  // IPv4 mapped, as base::IpAddress has it

struct Value {
  route::RuleType type;
  union {
    bool flag;
    std::int64_t number;
    std::string_view text;
    AddressOctets address;
  };

  Value() noexcept {}  // NOLINT: uninitialised on purpose, a stack of these is made for each rule

  static Value of_flag(bool flag) noexcept {
    Value value;
    value.type = route::RuleType::kFlag;
    value.flag = flag;
    return value;
  }
  static Value of_text(std::string_view text) noexcept {
    Value value;
    value.type = route::RuleType::kText;
    value.text = text;
    return value;
  }
  static Value of_number(std::int64_t number) noexcept {
    Value value;
    value.type = route::RuleType::kNumber;
    value.number = number;
    return value;
  }
  static Value of_address(const AddressOctets& address) noexcept {
    Value value;
    value.type = route::RuleType::kAddress;
    value.address = address;
    return value;
  }
};

}  // namespace brink::l7::rewrite
