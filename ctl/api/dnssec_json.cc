#include "ctl/api/dnssec_json.h"

#include <algorithm>
#include <utility>

#include "ctl/dnssec/policy.h"
#include "dns/zone/text.h"

namespace brink::ctl::api {
namespace {

using dns::dnssec::Key;
using dns::dnssec::KeyState;
using dns::dnssec::Role;
using dns::zone::Wire;
using store::DnssecKey;

constexpr std::pair<Role, std::string_view> kRoleTexts[] = {
    {Role::kKsk, "ksk"}, {Role::kZsk, "zsk"}, {Role::kCsk, "csk"}};

std::string_view state_text(const DnssecKey& key) {
  if (key.spare) return "spare";
  switch (key.key.state) {
    case KeyState::kPresigned:
      return "presigned";
    case KeyState::kPublished:
      return "published";
    case KeyState::kReady:
      return "ready";
    case KeyState::kActive:
      return "active";
    case KeyState::kRetired:
      return "retired";
    case KeyState::kWithdrawn:
      return "withdrawn";
  }
  return "";
}

// The data's `number`th field and all behind it, without blanks.
std::string fields_from(std::uint16_t type, const Wire& rdata, int number) {
  const auto text = dns::zone::rdata_to_text(type, rdata);
  if (!text) return "";
  std::string_view rest = text.value();
  rest = rest.substr(0, rest.find(';'));
  for (; number > 0; --number) rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  std::string fields(rest);
  std::erase(fields, ' ');
  return fields;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

struct Ds {
  std::string digest;  // hexadecimal, upper case
  std::string text;    // the whole record
};

Ds ds_of(const model::Zone& zone, const Wire& rdata) {
  constexpr int kDigestField = 3;
  const auto octet = [&](std::size_t at) {
    return std::to_string(static_cast<std::uint8_t>(rdata.at(at)));
  };
  const unsigned tag = static_cast<unsigned>(static_cast<std::uint8_t>(rdata.at(0))) << 8 |
                       static_cast<std::uint8_t>(rdata.at(1));
  Ds ds;
  ds.digest = upper(fields_from(model::kTypeDs, rdata, kDigestField));
  ds.text = zone.name.text() + ". 3600 IN DS " + std::to_string(tag) + " " + octet(2) + " " +
            octet(3) + " " + ds.digest;
  return ds;
}

Ds ds_of_key(const model::Zone& zone, const DnssecKey& key) {
  return ds_of(zone, dns::dnssec::ds_rdata(dnssec::wire_of(zone.name), key.key.dnskey,
                                           dns::dnssec::DigestType::kSha256));
}

std::string public_key(const DnssecKey& key) {
  constexpr int kKeyField = 3;
  return fields_from(dns::dnssec::kTypeDnskey, key.key.dnskey, kKeyField);
}

std::string algorithm_text(std::uint8_t number) {
  const auto known = dns::dnssec::algorithm_from_number(number);
  return known ? std::string(dns::dnssec::to_text(*known)) : std::to_string(number);
}

bool is_on_the_way_out(const DnssecKey& key) {
  return key.key.state == KeyState::kRetired || key.key.state == KeyState::kWithdrawn;
}

// The key whose DS belongs into the parent: what CDS names, else the newest that is to be used.
const DnssecKey* entry_key(const DnssecState& state) {
  const DnssecKey* found = nullptr;
  for (const DnssecKey& key : state.keys) {
    if (key.spare || key.key.role == Role::kZsk || is_on_the_way_out(key)) continue;
    if (found == nullptr || key.use.in_cds || !found->use.in_cds) found = &key;
  }
  return found;
}

Json time_or_null(const std::optional<model::Timestamp>& time) {
  return time ? Json(time->rfc3339()) : Json(nullptr);
}

// DS records that CDS asks the parent for; null: it is not asked for anything.
Json wanted_ds(const DnssecState& state) {
  for (const auto& rrset : state.more.apex) {
    if (rrset.type != dns::dnssec::kTypeCds) continue;
    Json wanted = Json::array();
    for (const Wire& rdata : rrset.rdata) {
      if (rdata != dns::dnssec::cds_delete_rdata()) wanted.push_back(ds_of(state.zone, rdata).text);
    }
    return wanted;
  }
  return nullptr;
}

}  // namespace

std::string_view to_text(Role role) {
  for (const auto& [each, text] : kRoleTexts) {
    if (each == role) return text;
  }
  return "";
}

std::optional<Role> role_from_text(std::string_view text) {
  for (const auto& [role, name] : kRoleTexts) {
    if (name == text) return role;
  }
  return std::nullopt;
}

DnssecState dnssec_state(store::Store& store, const model::Zone& zone) {
  store::DnssecKeys keys(store);
  return {zone, keys.of(zone.id), keys.zone(zone.id)};
}

Json dnssec_json(const DnssecState& state) {
  const model::ZoneDnssec& dnssec = state.zone.dnssec;
  Json json = {{"status", model::to_text(dnssec.status)}};
  for (const char* member : {"flags", "algorithm", "key_type", "digest_type", "digest_algorithm",
                             "digest", "ds", "key_tag", "public_key"}) {
    json[member] = nullptr;
  }
  if (const DnssecKey* key = entry_key(state); key != nullptr) {
    const std::uint8_t algorithm = dns::dnssec::dnskey_algorithm(key->key.dnskey).value_or(0);
    const Ds ds = ds_of_key(state.zone, *key);
    json["flags"] = dns::dnssec::flags_of(key->key.role);
    json["algorithm"] = std::to_string(algorithm);
    json["key_type"] = algorithm_text(algorithm);
    json["digest_type"] = "2";
    json["digest_algorithm"] = "SHA256";
    json["digest"] = ds.digest;
    json["ds"] = ds.text;
    json["key_tag"] = dns::dnssec::key_tag(key->key.dnskey);
    json["public_key"] = public_key(*key);
  }
  json["modified_on"] = time_or_null(dnssec.modified_on);
  json["dnssec_multi_signer"] = dnssec.multi_signer;
  json["dnssec_presigned"] = dnssec.presigned;
  json["dnssec_use_nsec3"] = dnssec.denial == model::ZoneDenial::kNsec3;
  return json;
}

Json dnssec_key_json(const model::Zone& zone, const DnssecKey& key) {
  const std::uint8_t algorithm = dns::dnssec::dnskey_algorithm(key.key.dnskey).value_or(0);
  Json json = {{"id", key.id.hex()},
               {"role", to_text(key.key.role)},
               {"state", state_text(key)},
               {"since", dnssec::time_of(key.key.since).rfc3339()},
               {"created_on", key.created_on.rfc3339()},
               {"flags", dns::dnssec::flags_of(key.key.role)},
               {"algorithm", std::to_string(algorithm)},
               {"key_type", algorithm_text(algorithm)},
               {"key_tag", dns::dnssec::key_tag(key.key.dnskey)},
               {"public_key", public_key(key)},
               {"ds", nullptr},
               {"ds_shown", key.key.ds_shown},
               {"in_dnskey", key.use.in_dnskey},
               {"in_cds", key.use.in_cds},
               {"signs_keys", key.use.signs_dnskey},
               {"signs_zone", key.use.signs_zone}};
  if (key.key.role != Role::kZsk) json["ds"] = ds_of_key(zone, key).text;
  return json;
}

Json dnssec_details_json(const DnssecState& state) {
  const model::ZoneDnssec& dnssec = state.zone.dnssec;
  Json keys = Json::array();
  for (const DnssecKey& key : state.keys) keys.push_back(dnssec_key_json(state.zone, key));
  Json asked = Json::array();
  if (state.more.roll_ksk) asked.push_back(dnssec.split_keys ? "ksk" : "csk");
  if (state.more.roll_zsk) asked.push_back("zsk");
  return {{"status", model::to_text(dnssec.status)},
          {"algorithm", std::to_string(dnssec.algorithm)},
          {"key_type", algorithm_text(dnssec.algorithm)},
          {"split_keys", dnssec.split_keys},
          {"denial", dnssec.denial == model::ZoneDenial::kNsec3 ? "nsec3" : "nsec"},
          {"opt_out", dnssec.opt_out},
          {"multi_signer", dnssec.multi_signer},
          {"presigned", dnssec.presigned},
          {"modified_on", time_or_null(dnssec.modified_on)},
          {"keys", std::move(keys)},
          {"wanted_ds", wanted_ds(state)},
          {"waits_for_parent", state.more.waits_for_parent},
          {"rollovers_asked", std::move(asked)},
          {"next_step_on", time_or_null(state.more.step_on)},
          {"next_look_on", time_or_null(state.more.look_on)},
          {"looked_on", time_or_null(state.more.looked_on)},
          {"result", state.more.result}};
}

}  // namespace brink::ctl::api
