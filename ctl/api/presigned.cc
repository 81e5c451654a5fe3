#include "ctl/api/presigned.h"

#include <algorithm>
#include <tuple>

#include "ctl/api/dnssec_input.h"
#include "ctl/api/json_input.h"
#include "ctl/model/zone_line.h"
#include "ctl/store/record_inserter.h"
#include "dataplane/snapshot/builder.h"
#include "dns/dnssec/signed_zone_check.h"
#include "dns/render/render.h"
#include "dns/zone/text.h"

namespace brink::ctl::api {
namespace {

using dns::zone::Finding;
using dns::zone::Severity;
using model::DomainName;
using model::Record;
using model::Refusal;

constexpr std::uint32_t kDefaultTtl = 3600;  // where a file has none
constexpr std::size_t kFindingsMax = 20;     // shown of a file that is refused
constexpr std::size_t kVerifiedMax = 5'000;  // signatures, half a second

std::span<const std::uint8_t> octets(const dns::zone::Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

dns::zone::Wire to_wire(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Refusal refused_file(std::vector<std::string> reasons) {
  Refusal refusal{
      400, model::kCodeValidation, "The zone file was not imported, nothing was changed.", {}};
  for (std::string& reason : reasons) refusal.chain.push_back({kCodeZoneFile, std::move(reason)});
  return refusal;
}

bool comes_by_signing(model::RecordType type) {
  return model::is_made_by_signing(type) || type == model::kTypeDnskey || type == model::kTypeCds ||
         type == model::kTypeCdnskey;
}

// The data in a form that the import reads as the same octets.
std::string exact_line(const Record& record) {
  std::string line = model::zone_line(record.name, record.ttl, record.type, record.rdata,
                                      model::comment_of(record));
  const auto read = model::rdata_from_text(
      record.type, model::rdata_to_text(record.type, record.rdata), DomainName());
  if (read && read.value() == record.rdata) return line;
  return model::generic_zone_line(record.name, record.ttl, record.type, record.rdata,
                                  model::comment_of(record));
}

}  // namespace

std::string finding_text(const Finding& finding) {
  return (finding.line == 0 ? "" : "line " + std::to_string(finding.line) + ", ") +
         dns::zone::name_to_text(finding.owner) +
         (finding.type == 0 ? "" : " " + dns::zone::type_to_text(finding.type)) + ": " +
         finding.what + (finding.remedy.empty() ? "" : "; " + finding.remedy);
}

std::optional<Refusal> presigned_fault(const model::Zone& zone) {
  if (!zone.dnssec.presigned) return std::nullopt;
  return wrong_state(
      "Zone " + zone.name.text() +
      " is presigned: a change of its records would leave signatures that are wrong. "
      "Change it where it is signed, and import the file again (presigned, or "
      "brinkctl zone import --presigned).");
}

void drop_signatures(Service& service, model::Zone& zone) {
  const auto& rules = service.settings.rules;
  std::vector<Record> gone, changed;
  service.store.for_each_record(zone, [&](const Record& record) {
    const std::uint32_t ttl = std::clamp(record.ttl, rules.ttl_min, rules.ttl_max);
    if (comes_by_signing(record.type)) {
      gone.push_back(record);
    } else if (ttl != record.ttl) {
      changed.push_back(record);
      changed.back().ttl = ttl;
    }
  });
  for (const Record& record : gone) service.store.delete_record(record);
  for (const Record& record : changed) service.store.update_record(record);
  zone.dnssec.presigned = false;
  ++zone.dnssec.signing_set;
}

void PresignedImport::note(std::string text) {
  if (notes_.size() < kFindingsMax) notes_.push_back(std::move(text));
}

base::Result<void> PresignedImport::take(const dns::zone::ZoneFileRecord& line) {
  ++parsed_;
  const dns::zone::ResourceRecord& record = line.record;
  const auto owner = DomainName::from_wire(octets(record.owner));
  if (!owner) return base::Error{"malformed owner name", "", ""};
  records_.push_back(record);
  if (record.type == model::kTypeSoa) {
    if (*owner == change_.zone().name && record.rdata.size() > model::kSoaFixedSize) {
      soa_ = model::ZoneSoa{record.ttl, {record.rdata.begin(), record.rdata.end()}};
    }
    return {};  // others are found when all is there
  }
  model::ParsedComment said = model::parse_comment(line.comment);
  if (said.proxied.value_or(false)) {
    return base::Error{"records of a presigned zone cannot be proxied: their addresses were signed",
                       owner->text() + " " + model::type_to_text(record.type),
                       "take cf-proxied:true away, or have the zone signed here"};
  }
  auto made = model::make_presigned_record(*owner, record.type, octets(record.rdata), record.ttl);
  if (!made) {
    return base::Error{made.error().detail(),
                       owner->text() + " " + model::type_to_text(record.type), ""};
  }
  Record& taken = made.value();
  // What signers write behind their records is kept while there is room for it.
  if (said.comment.size() <= service_.settings.rules.comment_size_max) {
    taken.comment = std::move(said.comment);
  }
  if (said.tags.size() <= service_.settings.rules.tags_max) taken.tags = std::move(said.tags);
  items_.push_back({std::move(taken), store::tree_key(*owner)});
  return {};
}

std::optional<Refusal> PresignedImport::run(std::string_view text) {
  if (change_.zone().dnssec.status != model::DnssecStatus::kDisabled) {
    return wrong_state(
        "The zone is signed here. One that comes with its signatures takes its place when it is "
        "not: "
        "set status to \"disabled\" (brinkctl dnssec disable), and have the DS records replaced at "
        "the parent.");
  }
  const auto taken = dns::zone::parse_zone_file(
      text, to_wire(change_.zone().name.wire()), kDefaultTtl,
      [this](const dns::zone::ZoneFileRecord& line) { return take(line); });
  if (!taken) return refused_file({taken.error().message()});
  if (auto refusal = check()) return refusal;
  records_.clear();
  write();
  return std::nullopt;
}

std::optional<Refusal> PresignedImport::check() {
  const auto zone = dns::zone::Zone::build(to_wire(change_.zone().name.wire()), records_);
  if (!zone) return refused_file({zone.error().message()});
  if (!dns::dnssec::is_signed_zone(zone.value())) {
    return refused_file(
        {"the zone in the file is not signed: import it as an ordinary one, or sign "
         "it, as with ldns-signzone or dnssec-signzone"});
  }
  const auto now = static_cast<std::uint32_t>(change_.now().micros / 1'000'000);
  const auto findings = dns::dnssec::check_signed_zone(
      zone.value(), {.now = now, .verified_max = kVerifiedMax, .findings_max = kFindingsMax});
  std::vector<std::string> reasons;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError) reasons.push_back(finding_text(finding));
    if (finding.severity == Severity::kWarning) note(finding_text(finding));
  }
  if (!reasons.empty()) return refused_file(std::move(reasons));
  // What an image takes can be served.
  snapshot::Builder image(base::HashKey{});
  const auto rendered = dns::render::render_zone(image, zone.value(),
                                                 [](const auto&) { return dns::render::Bytes(); });
  if (!rendered) return refused_file({rendered.error().message()});
  return std::nullopt;
}

// Whether `item`, which has the identity of `old`, says something else. It takes the place of it.
bool PresignedImport::has_changed(const Record& old, Record& item) {
  item.row = old.row;
  item.id = old.id;
  item.created_on = old.created_on;
  item.modified_on = old.modified_on;
  item.comment_modified_on = old.comment_modified_on;
  item.tags_modified_on = old.tags_modified_on;
  item.content = old.content;  // as it was written
  if (item == old) return false;
  item.modified_on = change_.now();
  return true;
}

// What stays is left alone, so that a zone that was signed anew costs little more than its
// signatures.
void PresignedImport::write() {
  const auto order = [](const Item& item) {
    return std::tie(item.key, item.record.type, item.record.rdata);
  };
  std::sort(items_.begin(), items_.end(),
            [&](const Item& a, const Item& b) { return order(a) < order(b); });
  items_.erase(std::unique(items_.begin(), items_.end(),
                           [&](const Item& a, const Item& b) { return order(a) == order(b); }),
               items_.end());
  std::vector<std::int64_t> gone;
  std::vector<std::size_t> fresh, changed;
  std::size_t at = 0;
  service_.store.for_each_record(change_.zone(), [&](const Record& old) {
    const store::TreeKey key = store::tree_key(old.name);
    const auto place = std::tie(key, old.type, old.rdata);
    while (at < items_.size() && order(items_[at]) < place) fresh.push_back(at++);
    if (at == items_.size() || order(items_[at]) != place) return gone.push_back(old.row);
    if (has_changed(old, items_[at].record)) changed.push_back(at);
    ++at;
  });
  while (at < items_.size()) fresh.push_back(at++);

  for (const std::int64_t row : gone) {
    Record record;
    record.row = row;
    service_.store.delete_record(record);
  }
  for (const std::size_t i : changed) service_.store.update_record(items_[i].record);
  if (!fresh.empty()) {
    model::IdSeries ids(service_.entropy);
    store::RecordInserter inserter(service_.store, change_.zone());
    auto next = fresh.begin();
    store::NewRecord record;
    inserter.insert([&]() -> const store::NewRecord* {
      if (next == fresh.end()) return nullptr;
      const Item& item = items_[*next++];
      record = store::NewRecord(item.record, item.key);
      record.id = ids.next();
      change_.date(record);
      return &record;
    });
    inserter.finish();
  }
  added_ = fresh.size();
  changed_ = changed.size();
  removed_ = gone.size();

  model::Zone& zone = change_.zone();
  is_change_ = added_ + changed_ + removed_ != 0 || zone.soa != soa_ || !zone.dnssec.presigned;
  if (!is_change_) return;
  const std::uint32_t serial = model::soa_serial(soa_->rdata);
  const bool is_known = zone.soa || removed_ + changed_ != 0;
  if (is_known && !model::is_newer_serial(serial, zone.serial)) {
    note("its serial " + std::to_string(serial) + " is not newer than " +
         std::to_string(zone.serial) + ": secondaries that know that one do not take the zone.");
  }
  zone.soa = soa_;
  zone.serial = serial;
  zone.dnssec.presigned = true;
  ++zone.dnssec.signing_set;
  zone.dnssec.modified_on = change_.now();
}

Reply PresignedImport::finish(model::Timestamp start) {
  const std::uint64_t version = is_change_ ? change_.commit() : 0;
  Reply reply = answer(to_text({{"recs_added", added_},
                                {"recs_changed", changed_},
                                {"recs_removed", removed_},
                                {"total_records_parsed", parsed_}}));
  reply.version = version;
  for (const std::string& text : notes_) reply.envelope.messages.push_back({kCodeImportNote, text});
  const model::Timestamp end = service_.clock();
  reply.envelope.extra =
      ",\"timing\":" +
      to_text({{"start_time", start.rfc3339()},
               {"end_time", end.rfc3339()},
               {"process_time", static_cast<double>(end.micros - start.micros) / 1e6}});
  return reply;
}

std::string presigned_text(Service& service, const model::Zone& zone) {
  std::string text =
      ";; Zone " + zone.name.text() + ", signed, as of " + service.clock().rfc3339() + "\n";
  if (zone.soa) {
    text += model::zone_line(zone.name, zone.soa->ttl, model::kTypeSoa, zone.soa->rdata, "");
  }
  service.store.for_each_record(zone, [&](const Record& record) { text += exact_line(record); });
  return text;
}

}  // namespace brink::ctl::api
