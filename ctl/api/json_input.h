// Reading request bodies: JSON objects whose members have the types that they should.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ctl/api/http.h"
#include "ctl/model/refusal.h"

namespace brink::ctl::api {

using Json = nlohmann::ordered_json;

// Of arrays and objects within each other; what walks JSON does so by calling itself.
inline constexpr std::size_t kJsonDepthMax = 32;

// The body as a JSON object; an empty body is an empty object. Refused: what is no JSON (RFC 8259)
// or not UTF-8, members that appear twice, NUL in texts, and more than kJsonDepthMax levels.
model::Outcome<Json> parse_object(const std::string& body);

// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string to_text(const Json& json);

// Without control characters, so that it does nothing to a terminal but show.
bool is_printable(std::string_view text);

// The same refusal, saying first which field of the body it is about, as "config[0].hostname".
model::Refusal about_field(const std::string& field, model::Refusal refusal);
model::Refusal wrong_field(const std::string& field, const std::string& expected);

inline constexpr char kIdForm[] = "an identifier of 32 hex digits";

// "name[index]": how messages call an item of an array.
std::string item_name(const std::string& name, std::size_t index);

// In quotes and no longer than a line, for messages.
std::string shown_text(const std::string& text);

// Whether a null member is the same as none, or of a wrong type.
enum class Nulls { kAbsent, kRefused };

// FieldReader takes typed members out of an object. Absent members leave the target alone; the
// first member of a wrong type is kept as the fault. `path`, as "account.", is what its names stand
// below in the body.
class FieldReader {
 public:
  explicit FieldReader(const Json& object, Nulls nulls = Nulls::kAbsent, std::string path = "")
      : object_(object), nulls_(nulls), path_(std::move(path)) {}

  void text(const char* name, std::string& target);
  void flag(const char* name, bool& target);
  // Within 0..max.
  void number(const char* name, std::uint64_t max, std::uint32_t& target);
  void number(const char* name, std::optional<std::uint16_t>& target);
  void texts(const char* name, std::vector<std::string>& target);
  // The member if it is an object, else null.
  const Json* object(const char* name);
  // The member if it is an array, else null.
  const Json* array(const char* name);

  [[nodiscard]] const std::optional<model::Refusal>& fault() const { return fault_; }

 private:
  const Json* member(const char* name, bool (Json::*is_type)() const noexcept,
                     const char* expected);
  void fail(const char* name, const std::string& expected);

  const Json& object_;
  const Nulls nulls_;
  const std::string path_;
  std::optional<model::Refusal> fault_;
};

}  // namespace brink::ctl::api
