#include "dns/zone/generate.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace brink::dns::zone {
namespace {

constexpr std::string_view kDirective = "$GENERATE";
constexpr std::int64_t kNumberMax = 0x7fffffff;
constexpr std::int64_t kWidthMax = 63;  // a label

base::Error bad(const std::string& what) {
  return {"$GENERATE: " + what, "", "write $GENERATE first-last[/step] owner [ttl] type data"};
}

// Takes a number of at most kNumberMax off the front.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > kNumberMax || value < -kNumberMax) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

struct Range {
  std::int64_t first = 0, last = 0, step = 1;
};

std::optional<Range> take_range(std::string_view& text) {
  Range range;
  const auto first = take_number(text);
  if (!first || *first < 0 || !take(text, '-')) return std::nullopt;
  const auto last = take_number(text);
  if (!last || *last < *first) return std::nullopt;
  range = {*first, *last, 1};
  if (!take(text, '/')) return range;
  const auto step = take_number(text);
  if (!step || *step < 1) return std::nullopt;
  range.step = *step;
  return range;
}

struct Form {
  std::int64_t offset = 0, width = 0;
  char base = 'd';
};

// Behind "${", up to and with "}".
std::optional<Form> take_form(std::string_view& text) {
  Form form;
  const auto offset = take_number(text);
  if (!offset) return std::nullopt;
  form.offset = *offset;
  if (take(text, ',')) {
    const auto width = take_number(text);
    if (!width || *width < 0 || *width > kWidthMax) return std::nullopt;
    form.width = *width;
  }
  if (take(text, ',')) {
    if (text.empty() || std::string_view("doxX").find(text.front()) == std::string_view::npos) {
      return std::nullopt;
    }
    form.base = text.front();
    text.remove_prefix(1);
  }
  if (!take(text, '}')) return std::nullopt;
  return form;
}

// False: the number is negative.
bool append_number(const Form& form, std::int64_t number, std::string& out) {
  const std::int64_t value = number + form.offset;
  if (value < 0) return false;
  const int width = static_cast<int>(form.width);
  const auto printed = static_cast<unsigned long long>(value);
  char text[80];
  switch (form.base) {
    case 'o':
      std::snprintf(text, sizeof text, "%0*llo", width, printed);
      break;
    case 'x':
      std::snprintf(text, sizeof text, "%0*llx", width, printed);
      break;
    case 'X':
      std::snprintf(text, sizeof text, "%0*llX", width, printed);
      break;
    default:
      std::snprintf(text, sizeof text, "%0*llu", width, printed);
  }
  out += text;
  return true;
}

// `record` with its dollar signs replaced.
bool append_record(std::string_view record, std::int64_t number, std::string& out) {
  while (!record.empty()) {
    const char c = record.front();
    record.remove_prefix(1);
    if (c == '\\' && take(record, '$')) {
      out += '$';
    } else if (c == '\\' && !record.empty()) {
      out += c;
      out += record.front();
      record.remove_prefix(1);
    } else if (c != '$') {
      out += c;
    } else if (take(record, '{')) {
      const auto form = take_form(record);
      if (!form || !append_number(*form, number, out)) return false;
    } else {
      append_number({}, number, out);
    }
  }
  out += '\n';
  return true;
}

}  // namespace

bool is_generate(std::string_view line) {
  if (line.size() <= kDirective.size()) return false;
  for (std::size_t i = 0; i < kDirective.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(line[i])) != kDirective[i]) return false;
  }
  return line[kDirective.size()] == ' ' || line[kDirective.size()] == '\t';
}

base::Result<std::size_t> expand_generate(std::string_view line, std::string& out) {
  line.remove_prefix(kDirective.size());
  skip_blanks(line);
  const auto range = take_range(line);
  if (!range || (!line.starts_with(' ') && !line.starts_with('\t'))) {
    return bad("the range is not first-last or first-last/step");
  }
  const auto count = static_cast<std::size_t>((range->last - range->first) / range->step + 1);
  if (count > kGenerateMax) {
    return bad("more than " + std::to_string(kGenerateMax) + " records");
  }
  skip_blanks(line);
  while (line.ends_with('\r')) line.remove_suffix(1);
  for (std::int64_t number = range->first; number <= range->last; number += range->step) {
    if (!append_record(line, number, out)) return bad("what follows \"${\" is no form of a number");
  }
  return count;
}

}  // namespace brink::dns::zone
