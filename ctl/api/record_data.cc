#include "ctl/api/record_data.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "ctl/api/location_data.h"

namespace brink::ctl::api {
namespace {

// kNumber8 and kNumber16 stand first in the RDATA, with nothing between them. kWord is one token,
// kRest what is left of the line, kQuoted a character-string, kHost a domain name.
enum class Kind : std::uint8_t { kNumber8, kNumber16, kWord, kRest, kQuoted, kHost };

struct Field {
  const char* name;
  Kind kind;
  bool is_optional = false;
  bool is_shown = true;
};

struct Form {
  const char* type;
  std::vector<Field> fields;  // in the order of the presentation form
};

// Presentation forms: RFC 8659 4.1.1, 4398 2.2, 4034 2.2 and 5.3, 9460 2.1, 3403 4.1, 8162 2, 2782,
// 4255 3.2, 6698 2.2, 7553 4.5. The priority of a URI stands beside `data`.
const std::vector<Form>& forms() {
  using enum Kind;
  static const std::vector<Field> kDigest = {{"usage", kNumber8},
                                             {"selector", kNumber8},
                                             {"matching_type", kNumber8},
                                             {"certificate", kRest}};
  static const std::vector<Field> kService = {
      {"priority", kNumber16}, {"target", kHost}, {"value", kRest, true}};
  static const std::vector<Form> kForms = {
      {"CAA", {{"flags", kNumber8}, {"tag", kWord}, {"value", kQuoted}}},
      {"CERT",
       {{"type", kNumber16},
        {"key_tag", kNumber16},
        {"algorithm", kNumber8},
        {"certificate", kRest}}},
      {"DNSKEY",
       {{"flags", kNumber16},
        {"protocol", kNumber8},
        {"algorithm", kNumber8},
        {"public_key", kRest}}},
      {"DS",
       {{"key_tag", kNumber16},
        {"algorithm", kNumber8},
        {"digest_type", kNumber8},
        {"digest", kRest}}},
      {"HTTPS", kService},
      {"NAPTR",
       {{"order", kNumber16},
        {"preference", kNumber16},
        {"flags", kQuoted},
        {"service", kQuoted},
        {"regex", kQuoted},
        {"replacement", kHost}}},
      {"SMIMEA", kDigest},
      {"SRV",
       {{"priority", kNumber16, true},
        {"weight", kNumber16},
        {"port", kNumber16},
        {"target", kHost}}},
      {"SSHFP", {{"algorithm", kNumber8}, {"type", kNumber8}, {"fingerprint", kRest}}},
      {"SVCB", kService},
      {"TLSA", kDigest},
      {"URI", {{"priority", kNumber16, true, false}, {"weight", kNumber16}, {"target", kQuoted}}},
  };
  return kForms;
}

const Form* form_of(std::string_view type) {
  const auto found = std::find_if(forms().begin(), forms().end(),
                                  [&](const Form& form) { return form.type == type; });
  return found == forms().end() ? nullptr : &*found;
}

bool is_number(Kind kind) {
  return kind == Kind::kNumber8 || kind == Kind::kNumber16;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A character-string without its quotes and escapes (RFC 1035 5.1); takes it off `text`.
std::string take_quoted(std::string_view& text) {
  std::string token;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    const bool is_code = text[at] == '\\' && at + 3 < text.size() && is_digit(text[at + 1]) &&
                         is_digit(text[at + 2]) && is_digit(text[at + 3]);
    if (is_code) {
      const int code =
          (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
      token += static_cast<char>(code);
      at += 3;
      continue;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    token += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return token;
}

// The next field of a presentation form.
std::string take_token(std::string_view& text, Kind kind) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (kind == Kind::kRest) return std::string(std::exchange(text, {}));
  if (text.starts_with('"')) return take_quoted(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  std::string token(text.substr(0, end));
  text.remove_prefix(end);
  if (kind == Kind::kHost && token.size() > 1 && token.ends_with('.')) token.pop_back();
  return token;
}

std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// A host in `data` is absolute, with or without its final dot, as everywhere in the API.
std::string absolute(const std::string& name) {
  return name.ends_with('.') ? name : model::to_ascii(name) + ".";
}

model::Refusal bad_field(const Form& form, const Field& field) {
  const char* expected = "a string";
  if (is_number(field.kind)) {
    expected = field.kind == Kind::kNumber8 ? "a whole number from 0 to 255"
                                            : "a whole number from 0 to 65535";
  } else if (field.kind == Kind::kWord || field.kind == Kind::kHost) {
    expected = "a string without white space and quotes";
  }
  return {400,
          kCodeBadBody,
          "Field \"data." + std::string(field.name) + "\" of a " + form.type + " record must be " +
              expected + ".",
          {}};
}

// Digits, whether they came as a number or, from some clients, as a string.
std::optional<std::string> number_token(const Json& json, Kind kind) {
  double value = -1;
  if (json.is_number()) {
    value = json.get<double>();
  } else if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) value = number;
  }
  const double most = kind == Kind::kNumber8 ? 255 : 65535;
  if (!(value >= 0 && value <= most)) return std::nullopt;
  const auto whole = static_cast<std::uint32_t>(value);
  if (static_cast<double>(whole) != value) return std::nullopt;
  return std::to_string(whole);
}

std::optional<std::string> text_token(const Json& json, Kind kind) {
  if (!json.is_string()) return std::nullopt;
  const auto& text = json.get_ref<const std::string&>();
  if (kind == Kind::kQuoted) return in_quotes(text);
  if (text.find_first_of("\r\n") != std::string::npos) return std::nullopt;
  if (kind == Kind::kRest) return text;
  if (text.empty() || text.find_first_of(" \t\"") != std::string::npos) return std::nullopt;
  return kind == Kind::kHost ? absolute(text) : text;
}

}  // namespace

Json data_json(const model::Record& record) {
  if (record.type == model::kTypeLoc) return location_json(record.rdata);
  const Form* form = form_of(model::type_to_text(record.type));
  if (form == nullptr) return nullptr;
  const std::string text = model::has_priority(record.type)
                               ? model::rdata_to_text(record.type, record.rdata)
                               : record.content;
  std::string_view rest = text;
  std::size_t at = 0;
  Json data = Json::object();
  for (const Field& field : form->fields) {
    const std::string token = take_token(rest, field.kind);
    if (!is_number(field.kind)) {
      data[field.name] = token;
      continue;
    }
    // From the RDATA: the text may have a mnemonic.
    std::uint32_t number = at < record.rdata.size() ? record.rdata[at++] : 0;
    if (field.kind == Kind::kNumber16 && at < record.rdata.size()) {
      number = number << 8 | record.rdata[at++];
    }
    if (field.is_shown) data[field.name] = number;
  }
  return data;
}

std::optional<model::Refusal> read_data(const Json& data, model::RecordDraft& draft) {
  std::string type = draft.type;
  if (const auto code = model::type_from_text(type)) type = model::type_to_text(*code);
  if (type == "LOC") return read_location(data, draft.content);
  const Form* form = form_of(type);
  if (form == nullptr) {
    return model::Refusal{
        400, kCodeBadBody, "A " + draft.type + " record has no \"data\"; write \"content\".", {}};
  }
  std::string content;
  for (const Field& field : form->fields) {
    const auto found = data.find(field.name);
    const bool is_absent = found == data.end() || found->is_null();
    std::optional<std::string> token;
    if (!is_absent) {
      token =
          is_number(field.kind) ? number_token(*found, field.kind) : text_token(*found, field.kind);
    } else if (field.is_optional) {
      token = is_number(field.kind) ? std::to_string(draft.priority.value_or(0)) : "";
    }
    if (!token) return bad_field(*form, field);
    if (!content.empty() && !token->empty()) content += ' ';
    content += *token;
  }
  draft.priority.reset();
  draft.content = content;
  return std::nullopt;
}

}  // namespace brink::ctl::api
