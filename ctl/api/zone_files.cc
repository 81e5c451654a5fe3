// /client/v4/zones/:zone/dns_records/{export,import}: zone files (RFC 1035 5).
#include <algorithm>

#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/multipart.h"
#include "ctl/api/paging.h"
#include "ctl/api/presigned.h"
#include "ctl/api/record_loader.h"
#include "ctl/api/service.h"
#include "ctl/model/zone_line.h"
#include "dns/zone/parse_ahead.h"

namespace brink::ctl::api {
namespace {

using model::DomainName;
using model::Record;
using model::Refusal;

// Signing takes its time, during which nothing else is answered.
constexpr std::uint64_t kServedRecordsMax = 100'000;

std::string lines_of(const dns::zone::Wire& owner, const dns::zone::Rrset& set) {
  const auto octets = [](const dns::zone::Wire& wire) {
    return std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
  };
  const auto name = DomainName::from_wire(octets(owner)).value_or(DomainName());
  std::string lines;
  for (const auto& rdata : set.rdata) {
    lines += model::zone_line(name, set.ttl, set.type, octets(rdata), "");
  }
  for (const auto& rdata : set.signatures) {
    lines += model::zone_line(name, set.ttl, model::kTypeRrsig, octets(rdata), "");
  }
  return lines;
}

// SOA first, as servers want it (RFC 1035 5.2).
Reply export_served(Service& service, const model::Zone& zone) {
  if (service.store.record_count(zone) > kServedRecordsMax) {
    return refuse({400,
                   kCodeTooLarge,
                   "A zone of more than " + std::to_string(kServedRecordsMax) +
                       " records is not exported as it is served; leave served away.",
                   {}});
  }
  if (!service.serve_zone) return refuse({501, kCodeNotProvided, "Nothing is served here.", {}});
  std::string soa, rest;
  const store::Transaction view(service.store, store::Transaction::Kind::kRead);
  const auto visited = service.serve_zone(zone, [&](const auto& owner, const auto& set) {
    (set.type == model::kTypeSoa ? soa : rest) += lines_of(owner, set);
  });
  if (!visited) return refuse({500, kCodeStoreFailed, visited.error().message(), {}});
  Reply reply;
  reply.text = ";; Zone " + zone.name.text() + " as it is served, as of " +
               service.clock().rfc3339() + "\n" + soa + rest;
  return reply;
}

Reply export_zone(Service& service, const Request& request) {
  const auto found = find_zone(service, request);
  if (!found) return refuse(found.error());
  const model::Zone& zone = found.value();
  const std::string* served = request.query_value("served");
  if (served != nullptr && *served != "true" && *served != "false") {
    return refuse(bad_parameter("served", *served, "true or false"));
  }
  if (served != nullptr && *served == "true" && !zone.dnssec.presigned) {
    return export_served(service, zone);
  }
  if (zone.dnssec.presigned) {
    Reply reply;
    reply.text = presigned_text(service, zone);
    return reply;
  }
  const auto& authority = service.settings.authority;
  const model::ZoneSoa soa = model::served_soa(zone, authority);
  std::string records;
  bool has_ns = false;
  service.store.for_each_record(zone, [&](const Record& record) {
    has_ns = has_ns || (record.type == model::kTypeNs && record.name == zone.name);
    records += model::zone_line(record.name, record.ttl, record.type, record.rdata,
                                model::comment_of(record));
  });
  std::string text = ";; Zone " + zone.name.text() + " as of " + service.clock().rfc3339() + "\n" +
                     ";; A TTL of 1 means automatic.\n" +
                     model::zone_line(zone.name, soa.ttl, model::kTypeSoa, soa.rdata, "");
  if (!has_ns) {
    for (const DomainName& server : authority.servers_of(zone)) {
      text +=
          model::zone_line(zone.name, authority.ns_ttl_of(zone), model::kTypeNs, server.wire(), "");
    }
  }
  Reply reply;
  reply.text = text + records;
  return reply;
}

// One import: takes the records of a zone file into a change.
class Import {
 public:
  Import(Service& service, model::Zone zone, bool proxied)
      : service_(service),
        change_(service, std::move(zone)),
        loader_(service, change_),
        proxied_(proxied) {}

  base::Result<void> run(std::string_view text);
  Reply finish(model::Timestamp start);

 private:
  base::Result<void> take(const dns::zone::ZoneFileRecord& line);
  void take_soa(const dns::zone::ResourceRecord& record);
  void take_default_ns();
  void begin(const std::shared_ptr<const SortedRecords>& records);
  [[nodiscard]] bool is_apex_ns(const Record& record) const;
  [[nodiscard]] bool is_default_ns(const Record& record) const;
  std::uint32_t allowed_ttl(std::uint32_t ttl);

  Service& service_;
  Change change_;
  RecordLoader loader_;
  bool proxied_;
  std::uint64_t parsed_ = 0, unneeded_ = 0, clamped_ = 0;
  bool soa_changed_ = false;
  bool has_own_ns_ = false;  // the file, at the apex, besides those by default
  std::vector<std::pair<Record, std::size_t>> default_ns_;  // with their lines
  std::optional<std::uint32_t> serial_;
  std::unique_ptr<ComingImport> coming_;
};

base::Result<void> Import::run(std::string_view text) {
  const auto apex = change_.zone().name.wire();
  auto taken = dns::zone::parse_ahead(
      text, {reinterpret_cast<const char*>(apex.data()), apex.size()}, model::kTtlAutomatic,
      [this](const dns::zone::ZoneFileRecord& line) { return take(line); });
  if (!taken) {
    loader_.check();
    return loader_.fault() ? *loader_.fault() : taken;
  }
  take_default_ns();
  loader_.flush([this](const auto& records) { begin(records); });
  if (loader_.fault()) return *loader_.fault();
  return {};
}

// The name servers that a zone has by default are exported, but are no records of it, unless it has
// others besides.
void Import::take_default_ns() {
  if (!has_own_ns_ &&
      !service_.store.has_record(change_.zone(), change_.zone().name, model::kTypeNs)) {
    unneeded_ = default_ns_.size();
    return;
  }
  for (auto& [record, line] : default_ns_) loader_.add(std::move(record), line);
}

// Nothing of the zone but these records changes from here on.
void Import::begin(const std::shared_ptr<const SortedRecords>& records) {
  if (!service_.begin_import) return;
  change_.advance(serial_);
  coming_ = service_.begin_import(change_.zone(), records->kept(),
                                  [records](const auto& visit) { records->for_each_view(visit); });
}

base::Result<void> Import::take(const dns::zone::ZoneFileRecord& line) {
  ++parsed_;
  const dns::zone::ResourceRecord& record = line.record;
  const auto octets = [](const dns::zone::Wire& wire) {
    return std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
  };
  const auto owner = DomainName::from_wire(octets(record.owner));
  if (!owner) return base::Error{"malformed owner name", "", ""};
  if (record.type == model::kTypeSoa) {
    if (*owner != change_.zone().name) {
      return base::Error{
          "the SOA of " + owner->text() + " is not the one of zone " + change_.zone().name.text(),
          "", "import the file into its own zone"};
    }
    take_soa(record);
    return {};
  }
  model::ParsedComment said = model::parse_comment(line.comment);
  model::RecordDraft rest{.ttl = allowed_ttl(record.ttl),
                          .comment = std::move(said.comment),
                          .tags = std::move(said.tags)};
  rest.settings.flatten_cname = said.flatten_cname;
  const auto make = [&](bool proxied) {
    rest.proxied = proxied;
    return model::make_record(service_.settings.rules, change_.zone(), *owner, record.type,
                              octets(record.rdata), rest);
  };
  auto made = make(said.proxied.value_or(proxied_));
  // The form asked for proxied records: those that can be.
  if (!made && !said.proxied && proxied_) made = make(false);
  if (!made) {
    return base::Error{made.error().detail(),
                       owner->text() + " " + model::type_to_text(record.type), ""};
  }
  if (is_default_ns(made.value())) {
    default_ns_.emplace_back(std::move(made).value(), line.line);
    return {};
  }
  has_own_ns_ = has_own_ns_ || is_apex_ns(made.value());
  if (loader_.add(std::move(made).value(), line.line)) return {};
  return *loader_.fault();
}

bool Import::is_apex_ns(const Record& record) const {
  return record.type == model::kTypeNs && record.name == change_.zone().name;
}

bool Import::is_default_ns(const Record& record) const {
  if (!is_apex_ns(record)) return false;
  const auto& servers = service_.settings.authority.servers_of(change_.zone());
  return std::any_of(servers.begin(), servers.end(),
                     [&](const DomainName& server) { return server.text() == record.content; });
}

// Keeps the file's SOA when it differs from what the zone is served with, whatever its serial.
void Import::take_soa(const dns::zone::ResourceRecord& record) {
  model::Rdata rdata(record.rdata.begin(), record.rdata.end());
  if (rdata.size() <= model::kSoaFixedSize) return;
  const std::uint32_t serial = model::soa_serial(rdata);
  model::ZoneSoa current = model::served_soa(change_.zone(), service_.settings.authority);
  model::set_soa_serial(current.rdata, serial);
  if (model::is_newer_serial(serial, change_.zone().serial)) serial_ = serial;
  if (current.rdata == rdata && current.ttl == record.ttl) return;
  change_.zone().soa = model::ZoneSoa{record.ttl, std::move(rdata)};
  soa_changed_ = true;
}

std::uint32_t Import::allowed_ttl(std::uint32_t ttl) {
  const auto& rules = service_.settings.rules;
  if (ttl == model::kTtlAutomatic) return ttl;
  const std::uint32_t allowed = std::clamp(ttl, rules.ttl_min, rules.ttl_max);
  if (allowed != ttl) ++clamped_;
  return allowed;
}

Reply Import::finish(model::Timestamp start) {
  const bool is_change = loader_.added() != 0 || soa_changed_ || serial_;
  const std::uint64_t version = is_change ? change_.commit(serial_) : 0;
  if (coming_) coming_->is_stored();
  Reply reply =
      answer(to_text({{"recs_added", loader_.added()}, {"total_records_parsed", parsed_}}));
  reply.version = version;
  const auto note = [&](std::uint64_t count, const std::string& what) {
    if (count == 0) return;
    reply.envelope.messages.push_back({kCodeImportNote, std::to_string(count) + " " + what});
  };
  note(loader_.known() + unneeded_, "records were there already and were left alone.");
  note(clamped_, "records had a TTL outside the allowed range, which was brought into it.");
  const model::Timestamp end = service_.clock();
  reply.envelope.extra =
      ",\"timing\":" +
      to_text({{"start_time", start.rfc3339()},
               {"end_time", end.rfc3339()},
               {"process_time", static_cast<double>(end.micros - start.micros) / 1e6}});
  return reply;
}

Reply import_zone(Service& service, const Request& request) {
  const model::Timestamp start = service.clock();
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto parts = parse_multipart(request.content_type, request.body);
  if (!parts) return refuse({400, kCodeBadBody, parts.error().message(), {}});
  const auto file = parts.value().find("file");
  if (file == parts.value().end()) {
    return refuse({400, kCodeBadBody, "The form has no field \"file\".", {}});
  }
  const auto& limits = service.settings.limits;
  const std::size_t limit =
      request.trusted ? limits.import_size_max_trusted : limits.import_size_max;
  if (file->second.size() > limit) {
    return refuse({413,
                   kCodeTooLarge,
                   "The zone file has " + std::to_string(file->second.size()) + " octets, " +
                       std::to_string(limit) + " are allowed.",
                   {}});
  }
  const auto is_set = [&parts](const char* name) {
    const auto part = parts.value().find(name);
    return part != parts.value().end() && part->second == "true";
  };
  if (is_set("presigned")) {
    if (is_set("proxied")) {
      return refuse({400,
                     model::kCodeNotProxiable,
                     "Records of a presigned zone cannot be proxied: their addresses were signed.",
                     {}});
    }
    PresignedImport import(service, std::move(zone).value());
    if (auto refusal = import.run(file->second)) return refuse(*std::move(refusal));
    return import.finish(start);
  }
  if (auto fault = presigned_fault(zone.value())) return refuse(*fault);
  Import import(service, std::move(zone).value(), is_set("proxied"));
  if (auto taken = import.run(file->second); !taken) {
    return refuse({400,
                   model::kCodeValidation,
                   "The zone file was not imported, nothing was changed.",
                   {{kCodeZoneFile, taken.error().message()}}});
  }
  return import.finish(start);
}

}  // namespace

void add_zone_files(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones/:zone/dns_records/export", identity::Permission::kDnsRead,
             [&service](const Request& request) { return export_zone(service, request); });
  router.add("POST", "/client/v4/zones/:zone/dns_records/import", identity::Permission::kDnsEdit,
             [&service](const Request& request) { return import_zone(service, request); });
}

}  // namespace brink::ctl::api
