// Presigned zones: zones that somebody else signed, with their signatures and chain of denial. They
// come in whole, as a file, and are served as they came; no record of them is changed here.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ctl/api/change.h"
#include "ctl/api/service.h"
#include "dns/zone/finding.h"
#include "dns/zone/zone_file.h"

namespace brink::ctl::api {

// Why no record of the zone can be changed; empty: records can.
std::optional<model::Refusal> presigned_fault(const model::Zone& zone);

// Makes a presigned zone an ordinary one: takes what signing put into it.
void drop_signatures(Service& service, model::Zone& zone);

// One import: the records of a file in place of those that the zone has.
class PresignedImport {
 public:
  PresignedImport(Service& service, model::Zone zone) : service_(service), change_(service, zone) {}

  // Checks the file, alone and as a signed zone, and writes what differs from the zone's records.
  std::optional<model::Refusal> run(std::string_view text);
  Reply finish(model::Timestamp start);

 private:
  struct Item {
    model::Record record;
    store::TreeKey key;
  };

  base::Result<void> take(const dns::zone::ZoneFileRecord& line);
  std::optional<model::Refusal> check();
  void write();
  bool has_changed(const model::Record& old, model::Record& item);
  void note(std::string text);

  Service& service_;
  Change change_;
  std::vector<dns::zone::ResourceRecord> records_;
  std::vector<Item> items_;
  std::optional<model::ZoneSoa> soa_;
  std::uint64_t added_ = 0, changed_ = 0, removed_ = 0, parsed_ = 0;
  bool is_change_ = false;
  std::vector<std::string> notes_;
};

// The file of a presigned zone: what comes out of it by the same import is the same zone.
std::string presigned_text(Service& service, const model::Zone& zone);

// "www.example.com. A: the signature is missing; sign the zone again"
std::string finding_text(const dns::zone::Finding& finding);

}  // namespace brink::ctl::api
