#include "ctl/api/record_data.h"

#include <algorithm>
#include <charconv>

namespace brink::ctl::api {
namespace {

enum class Kind : std::uint8_t { kNumber, kText, kQuoted };

struct Field {
  const char* name;
  Kind kind;
};

struct Form {
  const char* type;
  std::vector<Field> fields;  // in the order of the presentation form
};

// Presentation forms: RFC 8659 4.1.1, 4398 2.2, 4034 2.2 and 5.3, 9460 2.1, 3403 4.1, 8162 2, 2782,
// 4255 3.2, 6698 2.2, 7553 4.5.
const std::vector<Form>& forms() {
  using enum Kind;
  static const std::vector<Form> kForms = {
      {"CAA", {{"flags", kNumber}, {"tag", kText}, {"value", kQuoted}}},
      {"CERT",
       {{"type", kNumber}, {"key_tag", kNumber}, {"algorithm", kNumber}, {"certificate", kText}}},
      {"DNSKEY",
       {{"flags", kNumber}, {"protocol", kNumber}, {"algorithm", kNumber}, {"public_key", kText}}},
      {"DS",
       {{"key_tag", kNumber}, {"algorithm", kNumber}, {"digest_type", kNumber}, {"digest", kText}}},
      {"HTTPS", {{"priority", kNumber}, {"target", kText}, {"value", kText}}},
      {"NAPTR",
       {{"order", kNumber},
        {"preference", kNumber},
        {"flags", kQuoted},
        {"service", kQuoted},
        {"regex", kQuoted},
        {"replacement", kText}}},
      {"SMIMEA",
       {{"usage", kNumber},
        {"selector", kNumber},
        {"matching_type", kNumber},
        {"certificate", kText}}},
      {"SRV", {{"priority", kNumber}, {"weight", kNumber}, {"port", kNumber}, {"target", kText}}},
      {"SSHFP", {{"algorithm", kNumber}, {"type", kNumber}, {"fingerprint", kText}}},
      {"SVCB", {{"priority", kNumber}, {"target", kText}, {"value", kText}}},
      {"TLSA",
       {{"usage", kNumber},
        {"selector", kNumber},
        {"matching_type", kNumber},
        {"certificate", kText}}},
      {"URI", {{"priority", kNumber}, {"weight", kNumber}, {"target", kQuoted}}},
  };
  return kForms;
}

const Form* form_of(std::string_view type) {
  const auto found = std::find_if(forms().begin(), forms().end(),
                                  [&](const Form& form) { return form.type == type; });
  return found == forms().end() ? nullptr : &*found;
}

// The next field of a presentation form; a quoted one without its quotes.
std::string next_token(std::string_view& text, bool last) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty()) return {};
  if (text.front() != '"') {
    const std::size_t end = last ? text.size() : std::min(text.find(' '), text.size());
    std::string token(text.substr(0, end));
    text.remove_prefix(end);
    return token;
  }
  std::string token;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    token += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return token;
}

Json value_of(const Field& field, const std::string& token) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  const bool is_number = error == std::errc() && end == token.data() + token.size();
  if (field.kind == Kind::kNumber && is_number) return number;
  if (std::string_view(field.name) == "target" && token.size() > 1 && token.ends_with('.')) {
    return token.substr(0, token.size() - 1);
  }
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
std::string host(const std::string& name) {
  return name.ends_with('.') ? name : name + ".";
}

model::Refusal bad_field(const Form& form, const Field& field) {
  return {400,
          kCodeBadBody,
          "Field \"data." + std::string(field.name) + "\" of a " + form.type + " record must be " +
              (field.kind == Kind::kNumber ? "a number." : "a string."),
          {}};
}

}  // namespace

Json data_json(const model::Record& record) {
  const Form* form = form_of(model::type_to_text(record.type));
  if (form == nullptr) return nullptr;
  const std::string text = model::rdata_to_text(record.type, record.rdata);
  std::string_view rest = text;
  Json data = Json::object();
  for (const Field& field : form->fields) {
    data[field.name] = value_of(field, next_token(rest, &field == &form->fields.back()));
  }
  return data;
}

std::optional<model::Refusal> read_data(const Json& data, model::RecordDraft& draft) {
  const Form* form = form_of(draft.type);
  if (form == nullptr) {
    return model::Refusal{
        400, kCodeBadBody, "A " + draft.type + " record has no \"data\"; write \"content\".", {}};
  }
  std::string content;
  draft.priority.reset();
  for (const Field& field : form->fields) {
    const auto found = data.find(field.name);
    const std::string_view name = field.name;
    std::string token;
    if (name == "priority" && (found == data.end() || found->is_null())) {
      token = "0";
    } else if (name == "value" && found == data.end()) {
      continue;  // a service binding without parameters
    } else if (found == data.end()) {
      return bad_field(*form, field);
    } else if (found->is_number_unsigned()) {
      token = std::to_string(found->get<std::uint64_t>());
    } else if (found->is_string()) {
      token = found->get_ref<const std::string&>();
      if (field.kind == Kind::kQuoted) token = in_quotes(token);
      if (field.kind == Kind::kText && (name == "target" || name == "replacement"))
        token = host(token);
    } else {
      return bad_field(*form, field);
    }
    if (!content.empty()) content += ' ';
    content += token;
  }
  draft.content = content;
  return std::nullopt;
}

}  // namespace brink::ctl::api
