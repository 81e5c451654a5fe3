// brinkctl settings ...: of a zone, and under dns. those of its DNS.
#include "ctl/cli/input.h"
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/setting_value.h"

namespace brink::ctl::cli {
namespace {

constexpr char kDnsPrefix[] = "dns.";

bool is_dns(const std::string& name) {
  return name.starts_with(kDnsPrefix);
}

// {"dns.soa.expire": ...}
Json dns_settings(Session& session, const Json& zone) {
  Json flat = Json::object();
  const Json settings = session.call("GET", zone_path(zone) + "/dns_settings");
  for (const auto& [name, value] : settings.items()) flatten(kDnsPrefix + name, value, flat);
  return flat;
}

// In a table: a page is only said to be there.
std::string line_text(const Json& value) {
  constexpr std::size_t kLineMax = 200;
  const std::string text = value_text(value);
  const bool is_line = text.size() <= kLineMax && text.find('\n') == std::string::npos;
  return is_line ? text : "(" + std::to_string(text.size()) + " octets)";
}

void list(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const Json settings = session.call("GET", zone_path(zone) + "/settings");
  const Json dns = dns_settings(session, zone);
  if (session.json()) {
    Json all = Json::object();
    for (const Json& setting : settings) all[text_of(setting, "id")] = setting["value"];
    all.update(dns);
    return print_json(all);
  }
  std::vector<Row> rows;
  for (const Json& setting : settings) {
    const bool is_set = !setting["modified_on"].is_null();
    const char* note = !setting.value("editable", true) ? "fixed" : is_set ? "set" : "default";
    rows.push_back({text_of(setting, "id"), note, line_text(setting["value"])});
  }
  for (const auto& [name, value] : dns.items()) rows.push_back({name, "-", value_text(value)});
  print(table({"SETTING", "FROM", "VALUE"}, rows));
}

void print_setting(Session& session, const std::string& name, const Json& value) {
  if (session.json()) return print_json({{"id", name}, {"value", value}});
  print(value_text(value) + "\n");
}

Json dns_setting(Session& session, const Json& zone, const std::string& name) {
  const Json all = dns_settings(session, zone);
  const auto found = all.find(name);
  if (found != all.end()) return *found;
  Json part = Json::object();
  for (const auto& [each, value] : all.items()) {
    if (each.starts_with(name + ".")) part[each.substr(name.size() + 1)] = value;
  }
  if (part.empty()) {
    throw Stop(Exit::kNotFound, "there is no setting \"" + name +
                                    "\"; see brinkctl settings list " + text_of(zone, "name"));
  }
  return part;
}

void show(Session& session, const Arguments& arguments) {
  if (arguments.positional.size() < 2) return list(session, arguments);
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string& name = arguments.positional[1];
  if (is_dns(name)) return print_setting(session, name, dns_setting(session, zone, name));
  const Json setting = session.call("GET", zone_path(zone) + "/settings/" + percent_encode(name));
  print_setting(session, name, setting["value"]);
}

// What is too long for a command line stands in a file.
std::string given_value(const std::string& text) {
  return text.starts_with('@') ? read_file(text.substr(1)) : text;
}

void set(Session& session, const Arguments& arguments) {
  const Json zone = find_zone(session, arguments.positional[0]);
  const std::string& name = arguments.positional[1];
  const std::string text = given_value(arguments.positional[2]);
  Json value = value_of(text);
  if (is_dns(name)) {
    dns_setting(session, zone, name);  // a name that is none is refused before anything is sent
    const std::string path = name.substr(std::string(kDnsPrefix).size());
    session.call("PATCH", zone_path(zone) + "/dns_settings", nested(path, value));
    return print_setting(session, name, dns_setting(session, zone, name));
  }
  const std::string target = zone_path(zone) + "/settings/" + percent_encode(name);
  const Json now = session.call("GET", target);
  // "2" may be a text: what it is now tells.
  if (now["value"].is_string()) value = text;
  const Json setting = session.call("PATCH", target, {{"value", value}});
  print_setting(session, name, setting["value"]);
}

}  // namespace

const std::vector<Command>& settings_commands() {
  static const std::vector<Command> kCommands = {
      {"settings",
       "list",
       "ZONE",
       1,
       1,
       "The settings of a zone and, beginning with dns., those of its DNS.\n"
       "FROM tells whether somebody has set them.",
       {},
       list},
      {"settings",
       "show",
       "ZONE [SETTING]",
       1,
       2,
       "The value of a setting, as ssl or dns.soa.expire; of dns.soa all of them.",
       {},
       show},
      {"settings",
       "set",
       "ZONE SETTING VALUE",
       3,
       3,
       "Changes a setting. What is no simple word is written as JSON; @FILE is what stands in a file, as "
       "for\n"
       "error_page_5xx and error_page_1xxx, the pages of the zone for errors of the edge.",
       {},
       set},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
