#include "ctl/api/json_input.h"

#include <algorithm>
#include <set>

namespace brink::ctl::api {
namespace {

using model::Refusal;

// Looks through a text for what a tree of it would not show any more, or not survive. Its members
// are called by the parser, and say whether to go on.
class Inspector {
 public:
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(Json::number_integer_t) { return true; }
  bool number_unsigned(Json::number_unsigned_t) { return true; }
  bool number_float(Json::number_float_t, const std::string&) { return true; }
  bool string(std::string& text) { return is_free_of_nul(text); }
  bool binary(Json::binary_t&) { return true; }
  bool start_object(std::size_t) { return descend(); }
  bool end_object() { return ascend(); }
  bool start_array(std::size_t) { return descend(); }
  bool end_array() { return ascend(); }
  bool key(std::string& name) {
    field_ = name;
    if (!is_free_of_nul(name)) return false;
    if (names_.back().insert(name).second) return true;
    return refuse_with("Field \"" + name + "\" appears twice in the request body.");
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    fault_ = Refusal{400,
                     kCodeMalformedJson,
                     "Malformed JSON in request body, at octet " + std::to_string(position) + ".",
                     {}};
    return false;
  }

  [[nodiscard]] const std::optional<Refusal>& fault() const { return fault_; }

 private:
  bool descend() {
    names_.emplace_back();
    if (names_.size() <= kJsonDepthMax) return true;
    return refuse_with("The request body is nested more than " + std::to_string(kJsonDepthMax) +
                       " levels deep.");
  }
  bool ascend() {
    names_.pop_back();
    return true;
  }
  bool is_free_of_nul(const std::string& text) {
    if (text.find('\0') == std::string::npos) return true;
    const std::string printable = field_.substr(0, field_.find('\0'));
    return refuse_with("Field \"" + printable + "\" has a NUL character.");
  }
  bool refuse_with(std::string message) {
    fault_ = Refusal{400, kCodeBadBody, std::move(message), {}};
    return false;
  }

  std::vector<std::set<std::string>> names_;  // of members, a level each
  std::string field_;                         // the last one
  std::optional<Refusal> fault_;
};

}  // namespace

model::Outcome<Json> parse_object(const std::string& body) {
  if (body.empty()) return Json::object();
  // The parser would take it for the end.
  if (const std::size_t nul = body.find('\0'); nul != std::string::npos) {
    return Refusal{400,
                   kCodeMalformedJson,
                   "Malformed JSON in request body, at octet " + std::to_string(nul + 1) + ": NUL.",
                   {}};
  }
  Inspector inspector;
  if (!Json::sax_parse(body, &inspector)) return *inspector.fault();
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) {
    return model::Refusal{400, kCodeBadBody, "The request body must be a JSON object.", {}};
  }
  return json;
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Refusal about_field(const std::string& field, Refusal refusal) {
  refusal.message = "Field \"" + field + "\": " + refusal.message;
  return refusal;
}

Refusal wrong_field(const std::string& field, const std::string& expected) {
  return {400, kCodeBadBody, "Field \"" + field + "\" must be " + expected + ".", {}};
}

std::string item_name(const std::string& name, std::size_t index) {
  return name + "[" + std::to_string(index) + "]";
}

std::string shown_text(const std::string& text) {
  constexpr std::size_t kShownMax = 64;
  if (text.size() <= kShownMax) return "\"" + text + "\"";
  return "\"" + text.substr(0, kShownMax) + "...\"";
}

void FieldReader::fail(const char* name, const std::string& expected) {
  if (!fault_) fault_ = wrong_field(path_ + name, expected);
}

const Json* FieldReader::member(const char* name, bool (Json::*is_type)() const noexcept,
                                const char* expected) {
  const auto found = object_.find(name);
  if (found == object_.end()) return nullptr;
  if (found->is_null() && nulls_ == Nulls::kAbsent) return nullptr;
  if (((*found).*is_type)()) return &*found;
  fail(name, expected);
  return nullptr;
}

void FieldReader::text(const char* name, std::string& target) {
  if (const Json* json = member(name, &Json::is_string, "a string")) {
    target = json->get_ref<const std::string&>();
  }
}

void FieldReader::flag(const char* name, bool& target) {
  if (const Json* json = member(name, &Json::is_boolean, "true or false")) {
    target = json->get<bool>();
  }
}

void FieldReader::number(const char* name, std::uint64_t max, std::uint32_t& target) {
  const Json* json = member(name, &Json::is_number, "a number");
  if (json == nullptr) return;
  // Some clients send 120.0.
  const double value = json->get<double>();
  if (value < 0 || value > static_cast<double>(max) ||
      value != static_cast<double>(static_cast<std::uint32_t>(value))) {
    return fail(name, "a whole number from 0 to " + std::to_string(max));
  }
  target = static_cast<std::uint32_t>(value);
}

void FieldReader::number(const char* name, std::optional<std::uint16_t>& target) {
  const Json* json = member(name, &Json::is_number, "a number");
  if (json == nullptr) return;
  std::uint32_t value = 0;
  number(name, 65535, value);
  target = static_cast<std::uint16_t>(value);
}

void FieldReader::texts(const char* name, std::vector<std::string>& target) {
  const Json* json = array(name);
  if (json == nullptr) return;
  target.clear();
  for (const Json& item : *json) {
    if (!item.is_string()) return fail(name, "an array of strings");
    target.push_back(item.get_ref<const std::string&>());
  }
}

const Json* FieldReader::object(const char* name) {
  return member(name, &Json::is_object, "an object");
}

const Json* FieldReader::array(const char* name) {
  return member(name, &Json::is_array, "an array");
}

}  // namespace brink::ctl::api
