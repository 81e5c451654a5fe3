// Checking of texts: the cold part.
#include <algorithm>

#include "l7/page/page.h"
#include "l7/page/placeholder.h"

namespace brink::l7::page {
namespace {

// Of what placeholders stand for: the longest is a host, which has nothing to escape.
constexpr std::size_t kValueMax = 256;
static_assert(kTextMax + kPlaceholdersMax * kValueMax < kPageMax, "a page that was checked fits");

constexpr char kKnown[] =
    "write one of {{code}}, {{status}}, {{title}}, {{message}}, {{ray}}, {{address}}, {{host}} and "
    "{{time}}";

base::Error fault(std::string_view text, std::size_t at, const std::string& what,
                  const std::string& remedy) {
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return {"line " + std::to_string(line) + ": " + what, "", remedy};
}

// Octets of the character that begins with this one; 0: none does (RFC 3629 4).
std::size_t utf8_size(unsigned char first) {
  if (first == 0) return 0;  // no text has it
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

// Where it is no UTF-8; npos: it is.
std::size_t bad_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_size(static_cast<unsigned char>(text[i]));
    if (size == 0 || size > text.size() - i) return i;
    for (std::size_t k = 1; k < size; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return i;
    }
    i += size;
  }
  return text.npos;
}

}  // namespace

std::optional<base::Error> page_fault(std::string_view text) {
  if (text.empty()) return base::Error{"the page is empty", "", "write one, or leave it out"};
  if (text.size() > kTextMax) {
    return base::Error{"the page has more than " + std::to_string(kTextMax) + " octets", "",
                       "shorten it"};
  }
  if (const std::size_t at = bad_utf8(text); at != text.npos) {
    return fault(text, at, "this is no text in UTF-8", "save the page as UTF-8");
  }
  std::size_t count = 0;
  bool has_ray = false;
  for (std::size_t at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at)) {
    const std::size_t end = text.find(kEnd, at);
    if (end == text.npos) return fault(text, at, "{{ without its }}", kKnown);
    const std::string name(text.substr(at + kBegin.size(), end - at - kBegin.size()));
    const Value value = value_of(name);
    if (value == Value::kNone) return fault(text, at, "{{" + name + "}} is not known", kKnown);
    if (++count > kPlaceholdersMax) {
      return fault(text, at, "more than " + std::to_string(kPlaceholdersMax) + " placeholders",
                   "leave some out");
    }
    has_ray = has_ray || value == Value::kRay;
    at = end + kEnd.size();
  }
  if (has_ray) return {};
  return base::Error{"the page has no {{ray}}", "",
                     "put it in: by it a visitor's error is found in the log"};
}

}  // namespace brink::l7::page
