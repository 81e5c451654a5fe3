#include "ctl/api/name_json.h"

#include <optional>

#include "dataplane/ipc/sealed_memory.h"
#include "dataplane/snapshot/transaction.h"
#include "dns/render/blob_reader.h"
#include "dns/zone/text.h"
#include "l7/render/route_blob.h"

namespace brink::ctl::api {
namespace {

using dns::zone::ResourceRecord;
using dns::zone::Wire;

base::Error bad(const std::string& what) {
  return {"what brink-edge sent cannot be read: " + what, "",
          "run brink-edge and brink-control of the same release"};
}

// A zone, a name, and what of the zone's chain denies it: at most three records (RFC 5155 7.2.1).
constexpr std::uint32_t kOperationsMax = 6;

// Keeps the one zone and the one name of the transaction.
class Puts : public snapshot::ChangeSink {
 public:
  struct Zone {
    Wire apex;
    std::uint32_t serial;
    std::vector<std::uint8_t> negative, signed_negative;
  };
  // A record of the zone's chain, which says what is not there.
  struct Denial {
    Wire owner;
    std::vector<std::uint8_t> blob;
  };
  struct Owner {
    Wire name;
    std::vector<snapshot::Rrset> rrsets;
    std::vector<std::uint8_t> route;
    bool cut, parent_side;
  };

  base::Result<void> put_zone(Name apex, const snapshot::ZoneContents& contents) override {
    zone = Zone{{apex.begin(), apex.end()},
                contents.serial,
                {contents.negative.begin(), contents.negative.end()},
                {contents.signed_negative.begin(), contents.signed_negative.end()}};
    return {};
  }
  base::Result<void> put_name(Name name, const snapshot::NameContents& contents) override {
    owner = Owner{{name.begin(), name.end()},
                  {contents.rrsets.begin(), contents.rrsets.end()},
                  {contents.route.begin(), contents.route.end()},
                  contents.cut,
                  contents.parent_side};
    return {};
  }
  base::Result<void> use_zone(Name) override { return unexpected(); }
  base::Result<void> drop_zone(Name) override { return unexpected(); }
  base::Result<void> drop_name(Name) override { return unexpected(); }
  base::Result<void> put_denial(Name name, std::span<const std::uint8_t> blob) override {
    denials.push_back({{name.begin(), name.end()}, {blob.begin(), blob.end()}});
    return {};
  }
  base::Result<void> drop_denial(Name) override { return unexpected(); }
  base::Result<void> put_value(Key, std::span<const std::uint8_t>) override { return unexpected(); }
  base::Result<void> drop_value(Key) override { return unexpected(); }
  base::Result<void> clear_values(Key) override { return unexpected(); }

  std::optional<Zone> zone;
  std::optional<Owner> owner;
  std::vector<Denial> denials;

 private:
  static base::Result<void> unexpected() { return base::Error{"it does not put a name", "", ""}; }
};

base::Result<Puts> read_puts(const publish::EdgeReply& reply) {
  const auto mapped = ipc::SealedMemory::map(reply.memfd.get(), reply.size_bytes);
  if (!mapped) return bad(mapped.error().message());
  const auto header = snapshot::read_transaction(mapped.value().bytes());
  if (!header) return bad(header.error().message());
  if (header.value().total_size_bytes != reply.size_bytes) return bad("its size does not fit");
  Puts puts;
  snapshot::TransactionDecoder decoder(mapped.value().bytes());
  const auto applied = decoder.apply(puts, kOperationsMax);
  if (!applied) return bad(applied.error().message());
  if (applied.value() || !puts.zone || !puts.owner) return bad("it does not put one name");
  return puts;
}

Json record_json(const ResourceRecord& record) {
  const auto text = dns::zone::rdata_to_text(record.type, record.rdata);
  return {{"name", dns::zone::name_to_text(record.owner)},
          {"type", dns::zone::type_to_text(record.type)},
          {"ttl", record.ttl},
          {"data", text ? Json(text.value()) : Json(nullptr)}};
}

Json records_json(const std::vector<ResourceRecord>& records) {
  Json list = Json::array();
  for (const ResourceRecord& record : records) list.push_back(record_json(record));
  return list;
}

// Of a signed form, which has the signatures behind what they are for.
Json signatures_json(const std::vector<ResourceRecord>& records) {
  Json list = Json::array();
  for (const ResourceRecord& record : records) {
    if (record.type == dns::zone::kTypeRrsig) list.push_back(record_json(record));
  }
  return list;
}

Json rrset_json(std::uint16_t type, const dns::render::BlobContents& contents,
                const dns::render::BlobContents& with_signatures) {
  Json additional = signatures_json(with_signatures.required);
  for (Json& each : signatures_json(with_signatures.optional))
    additional.push_back(std::move(each));
  return {{"type", dns::zone::type_to_text(type)},
          {"records", records_json(contents.body)},
          {"signatures", signatures_json(with_signatures.body)},
          {"required_additional", records_json(contents.required)},
          {"optional_additional", records_json(contents.optional)},
          {"additional_signatures", additional},
          {"target", contents.target.empty() ? Json(nullptr)
                                             : Json(dns::zone::name_to_text(contents.target))}};
}

base::Result<Json> route_json(const std::vector<std::uint8_t>& blob) {
  if (blob.empty()) return Json(nullptr);
  const auto route = l7::render::read_route(blob);
  if (!route) return route.error();
  Json origins = Json::array();
  for (const base::Endpoint& origin : route.value().origins) {
    origins.push_back({{"address", std::string(origin.address.text().view())},
                       {"port", origin.port == 0 ? Json(nullptr) : Json(origin.port)}});
  }
  const std::string& target = route.value().target_name;
  return Json{{"zone", route.value().zone_name},
              {"target", target.empty() ? Json(nullptr) : Json(target)},
              {"origins", origins},
              {"connect_timeout_ms", route.value().connect_timeout_ms},
              {"acknowledgement_timeout_ms", route.value().ack_timeout_ms},
              {"read_timeout_ms", route.value().read_timeout_ms}};
}

Json flags_json(const Puts& puts) {
  const Puts::Owner& owner = *puts.owner;
  Json flags = Json::array();
  if (owner.name == puts.zone->apex) flags.push_back("apex");
  if (owner.cut) flags.push_back("cut");
  if (owner.parent_side) flags.push_back("parent-side");
  if (owner.name.starts_with(std::string_view("\1*", 2))) flags.push_back("wildcard");
  return flags;
}

base::Result<Json> owner_json(const Puts& puts) {
  const Puts::Owner& owner = *puts.owner;
  Json sets = Json::array();
  for (const snapshot::Rrset& set : owner.rrsets) {
    const auto contents = dns::render::read_blob(set.blob, owner.name, puts.zone->apex);
    if (!contents) return bad(contents.error().message());
    dns::render::BlobContents with_signatures;
    if (!set.signed_blob.empty()) {
      auto read = dns::render::read_blob(set.signed_blob, owner.name, puts.zone->apex);
      if (!read) return bad(read.error().message());
      with_signatures = std::move(read).value();
    }
    sets.push_back(rrset_json(set.type, contents.value(), with_signatures));
  }
  const auto route = route_json(owner.route);
  if (!route) return bad(route.error().message());
  return Json{{"name", dns::zone::name_to_text(owner.name)},
              {"flags", flags_json(puts)},
              {"rrsets", sets},
              {"route", route.value()}};
}

base::Result<Json> zone_json(const Puts::Zone& zone) {
  const auto negative = dns::render::read_blob(zone.negative, zone.apex, zone.apex);
  if (!negative) return bad(negative.error().message());
  if (negative.value().body.size() != 1) return bad("the SOA is missing");
  dns::render::BlobContents with_signatures;
  if (!zone.signed_negative.empty()) {
    auto read = dns::render::read_blob(zone.signed_negative, zone.apex, zone.apex);
    if (!read) return bad(read.error().message());
    with_signatures = std::move(read).value();
  }
  return Json{{"name", dns::zone::name_to_text(zone.apex)},
              {"serial", zone.serial},
              {"negative", record_json(negative.value().body.front())},
              {"negative_signatures", signatures_json(with_signatures.body)}};
}

base::Result<Json> denials_json(const Puts& puts) {
  Json list = Json::array();
  for (const Puts::Denial& denial : puts.denials) {
    const auto contents = dns::render::read_blob(denial.blob, denial.owner, puts.zone->apex);
    if (!contents) return bad(contents.error().message());
    list.push_back(records_json(contents.value().body));
  }
  return list;
}

// The edge shows the nearest name above where nothing of the name itself answers.
bool answers(const std::string& standing, const Puts& puts) {
  if (standing == "wildcard") return puts.owner->name.starts_with(std::string_view("\1*", 2));
  return standing == "exact" || standing == "delegation";
}

}  // namespace

base::Result<Json> name_json(const Wire& asked, const publish::EdgeReply& reply) {
  Json json = {{"name", dns::zone::name_to_text(asked)},
               {"served_version", reply.served_version},
               {"standing", reply.reason},
               {"answers", nullptr},
               {"nearest_above", nullptr},
               {"denials", Json::array()},
               {"zone", nullptr}};
  if (!reply.memfd.valid()) return json;
  const auto puts = read_puts(reply);
  if (!puts) return puts.error();
  const auto zone = zone_json(*puts.value().zone);
  if (!zone) return zone.error();
  json["zone"] = zone.value();
  const auto denials = denials_json(puts.value());
  if (!denials) return denials.error();
  json["denials"] = denials.value();
  if (!answers(reply.reason, puts.value())) {
    json["nearest_above"] = dns::zone::name_to_text(puts.value().owner->name);
    return json;
  }
  const auto owner = owner_json(puts.value());
  if (!owner) return owner.error();
  json["answers"] = owner.value();
  return json;
}

}  // namespace brink::ctl::api
