// Pages for errors of the edge, as operators and users write them: HTML with placeholders.
//
//   {{code}}     1020, 522: what cf-error-type says     {{status}}   403: the HTTP status
//   {{title}}    of the status, as "Forbidden"          {{message}}  what happened, a sentence
//   {{ray}}      the ray id                             {{address}}  of the client
//   {{host}}     that was asked for                     {{time}}     as in the Date field
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"

namespace brink::l7::page {

inline constexpr std::size_t kTextMax = 8 * 1024;     // octets of a text
inline constexpr std::size_t kPlaceholdersMax = 16;
inline constexpr std::size_t kPageMax = 16 * 1024;    // octets of a page

// What a page is about. None of the values has more than 256 octets.
struct Facts {
  std::uint16_t code = 0;
  std::uint16_t status = 0;
  std::string_view title;
  std::string_view message;
  std::string_view ray;
  std::string_view address;
  std::string_view host;
  std::string_view time;
};

// The page, in `room`; empty: there is no room for it. Hot; any thread.
std::string_view write_page(std::string_view text, const Facts& facts,
                            std::span<char> room) noexcept;

// What is wrong with a text, and what to do about it: `what` has the line, `where` is empty. A text
// is UTF-8, not empty, at most kTextMax octets, and has {{ray}} in it: without it nobody finds the
// error again. Cold; any thread.
std::optional<base::Error> page_fault(std::string_view text);

}  // namespace brink::l7::page
