#include "ctl/api/location_data.h"

#include <charconv>
#include <cmath>

namespace brink::ctl::api {
namespace {

// The members in the order of the presentation form (RFC 1876 3), with the values that it has when
// they are left out.
struct Member {
  const char* name;
  double min, max;
  const char* otherwise;  // null: has to be there
  const char* letters;    // null: a number
};
constexpr Member kMembers[] = {{"lat_degrees", 0, 90, nullptr, nullptr},
                               {"lat_minutes", 0, 59, "0", nullptr},
                               {"lat_seconds", 0, 59.999, "0", nullptr},
                               {"lat_direction", 0, 0, nullptr, "NS"},
                               {"long_degrees", 0, 180, nullptr, nullptr},
                               {"long_minutes", 0, 59, "0", nullptr},
                               {"long_seconds", 0, 59.999, "0", nullptr},
                               {"long_direction", 0, 0, nullptr, "EW"},
                               {"altitude", -100000, 42849672.95, "0", nullptr},
                               {"size", 0, 90000000, "1", nullptr},
                               {"precision_horz", 0, 90000000, "10000", nullptr},
                               {"precision_vert", 0, 90000000, "10", nullptr}};

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  std::string out = text;
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

Json number_json(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);  // stops at "m"
  const auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value) return whole;
  return value;
}

std::optional<std::string> token_of(const Member& member, const Json& json) {
  if (member.letters != nullptr) {
    const bool is_letter =
        json.is_string() && json.get_ref<const std::string&>().size() == 1 &&
        std::string_view(member.letters).find(json.get<std::string>()) != std::string_view::npos;
    if (!is_letter) return std::nullopt;
    return json.get<std::string>();
  }
  if (!json.is_number()) return std::nullopt;
  const double value = json.get<double>();
  if (!(value >= member.min && value <= member.max)) return std::nullopt;
  return number_text(value);
}

model::Refusal bad_member(const Member& member) {
  const std::string expected =
      member.letters != nullptr
          ? std::string("one of the letters ") + member.letters
          : "a number from " + number_text(member.min) + " to " + number_text(member.max);
  return {
      400,
      kCodeBadBody,
      "Field \"data." + std::string(member.name) + "\" of a LOC record must be " + expected + ".",
      {}};
}

}  // namespace

Json location_json(std::span<const std::uint8_t> rdata) {
  const std::string text = model::rdata_to_text(model::kTypeLoc, rdata);
  std::string_view rest = text;
  Json data = Json::object();
  for (const Member& member : kMembers) {
    const std::string_view token = rest.substr(0, rest.find(' '));
    if (token.empty()) return nullptr;  // a version that has no such form
    rest.remove_prefix(std::min(token.size() + 1, rest.size()));
    data[member.name] = member.letters != nullptr ? Json(token) : number_json(token);
  }
  return data;
}

std::optional<model::Refusal> read_location(const Json& data, std::string& content) {
  content.clear();
  for (const Member& member : kMembers) {
    const auto found = data.find(member.name);
    std::optional<std::string> token;
    if (found != data.end() && !found->is_null()) {
      token = token_of(member, *found);
    } else if (member.otherwise != nullptr) {
      token = member.otherwise;
    }
    if (!token) return bad_member(member);
    content += (content.empty() ? "" : " ") + *token;
  }
  return std::nullopt;
}

}  // namespace brink::ctl::api
