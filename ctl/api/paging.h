// Reading the query parameters that all lists share.
#pragma once

#include <optional>

#include "ctl/api/http.h"
#include "ctl/api/json_input.h"
#include "ctl/store/query.h"

namespace brink::ctl::api {

// page from 1; per_page is cut to 1..max. Fails on text that is no number.
model::Outcome<store::Paging> read_paging(const Request& request, std::uint64_t per_page,
                                          std::uint64_t per_page_max);

// Answers with a page of a list: its items as `json_of` shows each, and which part of the list they
// are.
template <typename Item, typename JsonOf>
Reply page_of(const store::Page<Item>& page, const store::Paging& paging, const JsonOf& json_of) {
  Json result = Json::array();
  for (const Item& each : page.items) result.push_back(json_of(each));
  Reply reply = answer(to_text(result));
  reply.envelope.info = {paging.page, paging.per_page, page.items.size(), page.total};
  return reply;
}

// "asc" or "desc"; "any" or "all".
std::optional<model::Refusal> read_direction(const Request& request, bool& descending);
std::optional<model::Refusal> read_match(const Request& request, bool& match_any);

model::Refusal bad_parameter(const std::string& name, const std::string& value,
                             const std::string& expected);

// Decimal digits and nothing else.
std::optional<std::uint64_t> to_number(const std::string& text);

std::string lower_case(std::string text);

// A name to look for: lower-case, without its final dot.
std::string wanted_name(std::string text);

}  // namespace brink::ctl::api
