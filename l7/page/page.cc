// Writing: the hot part.
#include "l7/page/page.h"

#include <algorithm>
#include <utility>

#include "l7/http1/head_writer.h"
#include "l7/page/placeholder.h"

namespace brink::l7::page {
namespace {

// Safe in text, and in attributes with quotes of either kind.
void write_escaped(http1::HeadWriter& page, std::string_view text) noexcept {
  for (const char& c : text) {
    switch (c) {
      case '&':
        page.raw("&amp;");
        break;
      case '<':
        page.raw("&lt;");
        break;
      case '>':
        page.raw("&gt;");
        break;
      case '"':
        page.raw("&quot;");
        break;
      case '\'':
        page.raw("&#39;");
        break;
      default:
        page.raw({&c, 1});
    }
  }
}

void write_value(http1::HeadWriter& page, Value value, const Facts& facts) noexcept {
  switch (value) {
    case Value::kNone:
      return;
    case Value::kCode:
      return page.number(facts.code);
    case Value::kStatus:
      return page.number(facts.status);
    case Value::kTitle:
      return write_escaped(page, facts.title);
    case Value::kMessage:
      return write_escaped(page, facts.message);
    case Value::kRay:
      return write_escaped(page, facts.ray);
    case Value::kAddress:
      return write_escaped(page, facts.address);
    case Value::kHost:
      return write_escaped(page, facts.host);
    case Value::kTime:
      return write_escaped(page, facts.time);
  }
}

}  // namespace

Value value_of(std::string_view name) noexcept {
  constexpr std::pair<std::string_view, Value> kValues[] = {
      {"code", Value::kCode},       {"status", Value::kStatus}, {"title", Value::kTitle},
      {"message", Value::kMessage}, {"ray", Value::kRay},       {"address", Value::kAddress},
      {"host", Value::kHost},       {"time", Value::kTime},
  };
  for (const auto& [known, value] : kValues) {
    if (name == known) return value;
  }
  return Value::kNone;
}

std::string_view write_page(std::string_view text, const Facts& facts,
                            std::span<char> room) noexcept {
  http1::HeadWriter page(room);
  while (!text.empty()) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = begin == text.npos ? text.npos : text.find(kEnd, begin);
    if (end == text.npos) {
      page.raw(text);
      break;
    }
    const std::size_t name = begin + kBegin.size();
    const Value value = value_of({text.data() + name, end - name});
    // What is no placeholder stands as it is; one may still begin behind its first brace.
    const std::size_t taken = value == Value::kNone ? begin + 1 : begin;
    page.raw({text.data(), taken});
    write_value(page, value, facts);
    text.remove_prefix(value == Value::kNone ? taken : end + kEnd.size());
  }
  return page.ok() ? page.text() : std::string_view();
}

}  // namespace brink::l7::page
