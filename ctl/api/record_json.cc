#include "ctl/api/record_json.h"

#include "ctl/api/record_data.h"

namespace brink::ctl::api {
namespace {

bool could_be_proxied(const model::Rules& rules, const model::Record& record) {
  if (record.type == model::kTypeCname) {
    const auto target = model::DomainName::from_wire(record.rdata);
    return target && model::is_proxiable_target(rules, *target);
  }
  if (!model::is_proxiable(record.type)) return false;
  const auto* octets = record.rdata.data();
  return model::is_allowed_origin(rules, record.type == model::kTypeA
                                             ? base::IpAddress::v4_from_wire(octets)
                                             : base::IpAddress::v6_from_wire(octets));
}

Json settings_json(const model::Record& record) {
  Json settings = Json::object();
  if (record.type == model::kTypeCname) settings["flatten_cname"] = record.settings.flatten_cname;
  if (record.settings.ipv4_only) settings["ipv4_only"] = true;
  if (record.settings.ipv6_only) settings["ipv6_only"] = true;
  return settings;
}

}  // namespace

Json record_json(const model::Rules& rules, const model::Zone& zone, const model::Record& record) {
  Json json = {{"id", record.id.hex()},
               {"zone_id", zone.id.hex()},
               {"zone_name", zone.name.text()},
               {"name", record.name.text()},
               {"type", model::type_to_text(record.type)},
               {"content", record.content}};
  if (record.priority) json["priority"] = *record.priority;
  if (Json data = data_json(record); !data.is_null()) json["data"] = std::move(data);
  json["proxiable"] = could_be_proxied(rules, record);
  json["proxied"] = record.proxied;
  json["ttl"] = record.ttl;
  json["locked"] = false;
  json["settings"] = settings_json(record);
  json["meta"] = Json::object();
  json["comment"] = record.comment.empty() ? Json(nullptr) : Json(record.comment);
  json["tags"] = record.tags;
  json["created_on"] = record.created_on.rfc3339();
  json["modified_on"] = record.modified_on.rfc3339();
  if (record.comment_modified_on) {
    json["comment_modified_on"] = record.comment_modified_on->rfc3339();
  }
  if (record.tags_modified_on) json["tags_modified_on"] = record.tags_modified_on->rfc3339();
  return json;
}

std::optional<model::Refusal> read_draft(const Json& object, model::RecordDraft& draft) {
  FieldReader fields(object);
  fields.text("name", draft.name);
  fields.text("type", draft.type);
  fields.text("content", draft.content);
  fields.number("priority", draft.priority);
  fields.number("ttl", 0x7fffffff, draft.ttl);
  fields.flag("proxied", draft.proxied);
  fields.text("comment", draft.comment);
  fields.texts("tags", draft.tags);
  // A null comment takes the comment away.
  if (object.contains("comment") && object["comment"].is_null()) draft.comment.clear();
  if (const Json* settings = fields.object("settings")) {
    FieldReader flags(*settings, Nulls::kAbsent, "settings.");
    flags.flag("flatten_cname", draft.settings.flatten_cname);
    flags.flag("ipv4_only", draft.settings.ipv4_only);
    flags.flag("ipv6_only", draft.settings.ipv6_only);
    if (flags.fault()) return flags.fault();
  }
  const Json* data = fields.object("data");
  if (fields.fault()) return fields.fault();
  // Without a type there is no telling what else is missing.
  if (draft.name.empty() && !draft.type.empty()) {
    return model::Refusal{400,
                          kCodeBadBody,
                          "Field \"name\" is needed: the name of the record, or @ for the zone's.",
                          {}};
  }
  if (data != nullptr && !data->empty()) return read_data(*data, draft);
  return std::nullopt;
}

}  // namespace brink::ctl::api
