// Store: settings of zones, and what an account says about all of its zones.
#include "ctl/store/zone_settings.h"

#include <charconv>

#include "ctl/store/row.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {
namespace {

std::string enforce_key(const model::Id& account) {
  return "enforce_dns_only " + account.hex();
}

// The text up to `end`, which is taken off with it.
std::string_view take(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) throw Failure("the store holds damaged settings of a zone");
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + 1);
  return part;
}

}  // namespace

std::string join_settings(const model::ZoneSettings& settings) {
  std::string text;
  for (const auto& [name, setting] : settings) {
    text += name + '\t' + std::to_string(setting.modified_on.micros) + '\t' + setting.value + '\n';
  }
  return text;
}

model::ZoneSettings split_settings(std::string_view text) {
  model::ZoneSettings settings;
  while (!text.empty()) {
    model::ZoneSetting& setting = settings[std::string(take(text, '\t'))];
    const std::string_view time = take(text, '\t');
    std::from_chars(time.data(), time.data() + time.size(), setting.modified_on.micros);
    setting.value = take(text, '\n');
  }
  return settings;
}

bool Store::enforces_dns_only(const model::Id& account) {
  const auto kept = value(enforce_key(account));
  return kept && !kept->empty() && kept->front() == 1;
}

void Store::enforce_dns_only(const model::Id& account, bool enforced, model::Timestamp now) {
  const std::uint8_t octet = enforced ? 1 : 0;
  set_value(enforce_key(account), {&octet, 1});
  std::vector<model::Zone> zones;
  for_each_zone([&](const model::Zone& zone) {
    if (zone.account == account && zone.dns.enforce_dns_only != enforced) zones.push_back(zone);
  });
  for (model::Zone& zone : zones) {
    zone.dns.enforce_dns_only = enforced;
    zone.modified_on = now;
    ++zone.serial;
    update_zone(zone);
  }
}

std::optional<model::ZoneDns> Store::former_dns(const model::DomainName& name) {
  auto select = database_->cached(
      "SELECT dns FROM zone_log WHERE kind = 2 AND name = ?1 ORDER BY seq DESC LIMIT 1");
  select->bind(1, name.text());
  if (!select->step()) return std::nullopt;
  return read_dns(select->text(0));
}

}  // namespace brink::ctl::store
