#include "ctl/api/paging.h"

#include <algorithm>
#include <charconv>

namespace brink::ctl::api {
std::optional<std::uint64_t> to_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

model::Refusal bad_parameter(const std::string& name, const std::string& value,
                             const std::string& expected) {
  return {400,
          kCodeBadParameter,
          "Query parameter " + name + "=" + value + " is wrong: expected " + expected + ".",
          {}};
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string wanted_name(std::string text) {
  if (text.size() > 1 && text.ends_with('.')) text.pop_back();
  return lower_case(model::to_ascii(text));
}

model::Outcome<store::Paging> read_paging(const Request& request, std::uint64_t per_page,
                                          std::uint64_t per_page_max) {
  store::Paging paging{1, per_page};
  if (const auto* text = request.query_value("page")) {
    const auto page = to_number(*text);
    if (!page || *page == 0) return bad_parameter("page", *text, "a number from 1");
    paging.page = *page;
  }
  if (const auto* text = request.query_value("per_page")) {
    const auto size = to_number(*text);
    if (!size || *size == 0) return bad_parameter("per_page", *text, "a number from 1");
    paging.per_page = std::min(*size, per_page_max);
  }
  return paging;
}

std::optional<model::Refusal> read_direction(const Request& request, bool& descending) {
  const auto* text = request.query_value("direction");
  if (text == nullptr) return std::nullopt;
  if (*text != "asc" && *text != "desc") return bad_parameter("direction", *text, "asc or desc");
  descending = *text == "desc";
  return std::nullopt;
}

std::optional<model::Refusal> read_match(const Request& request, bool& match_any) {
  const auto* text = request.query_value("match");
  if (text == nullptr) return std::nullopt;
  if (*text != "any" && *text != "all") return bad_parameter("match", *text, "any or all");
  match_any = *text == "any";
  return std::nullopt;
}

}  // namespace brink::ctl::api
