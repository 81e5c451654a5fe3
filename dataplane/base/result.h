// Error and Result: failures of the environment and of an operator's input, on cold paths only.
// A peer's packet never produces an Error; it produces a verdict enum that is counted.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "dataplane/base/check.h"

namespace brink::base {

// Error says what failed, where (file, field, address), and what the operator can do about it.
struct Error {
  std::string what;
  std::string where;
  std::string remedy;

  // One line for a log or a terminal: "where: what (remedy)".
  [[nodiscard]] std::string message() const {
    std::string line = where.empty() ? what : where + ": " + what;
    if (!remedy.empty()) line += " (" + remedy + ")";
    return line;
  }
};

// Result holds a T or an error, of type Error unless a folder has a kind of its own. Reading the absent
// one is a bug and aborts.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] const E& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

// Success carries nothing: `return {};`.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : error_(std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const E& error() const {
    CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace brink::base
