#include "ctl/cli/setting_value.h"

namespace brink::ctl::cli {

void flatten(const std::string& name, const Json& value, Json& flat) {
  if (!value.is_object() || value.empty()) {
    flat[name] = value;
    return;
  }
  for (const auto& [member, inner] : value.items()) flatten(name + "." + member, inner, flat);
}

Json nested(const std::string& name, const Json& value) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return {{name, value}};
  return {{name.substr(0, dot), nested(name.substr(dot + 1), value)}};
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Json value_of(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace brink::ctl::cli
