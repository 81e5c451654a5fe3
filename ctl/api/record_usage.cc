// /client/v4/zones/:zone/dns_records/{usage,scan}: how many records there are; and the search for
// records that a domain has elsewhere, which is not made here and says so.
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"

namespace brink::ctl::api {
namespace {

constexpr char kNoScan[] =
    "Records of other providers are not looked for: import a zone file instead.";

Reply usage(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text({{"record_quota", nullptr},  // there is none
                         {"record_usage", service.store.record_count(zone.value())}}));
}

Reply nothing_scanned(std::string result, int status) {
  Reply reply = answer(std::move(result));
  reply.status = status;
  reply.envelope.messages.push_back({kCodeNotProvided, kNoScan});
  return reply;
}

Reply scan(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return nothing_scanned(to_text({{"recs_added", 0}, {"total_records_parsed", 0}}), 202);
}

Reply trigger(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return nothing_scanned("null", 202);
}

Reply list_findings(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return nothing_scanned("[]", 200);
}

// There are no findings to accept or reject.
Reply judge_findings(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  FieldReader fields(body.value(), Nulls::kRefused);
  for (const char* list : {"accepts", "rejects"}) {
    const Json* items = fields.array(list);
    if (items == nullptr || items->empty()) continue;
    return refuse({404, model::kCodeRecordMissing, kNoScan, {}});
  }
  if (fields.fault()) return refuse(*fields.fault());
  return nothing_scanned(to_text({{"accepts", Json::array()}, {"rejects", Json::array()}}), 200);
}

}  // namespace

void add_record_usage(Router& router, Service& service) {
  const std::string records = "/client/v4/zones/:zone/dns_records";
  router.add("GET", records + "/usage", identity::Permission::kDnsRead, bound(service, usage));
  router.add("POST", records + "/scan", identity::Permission::kDnsEdit, bound(service, scan));
  router.add("POST", records + "/scan/trigger", identity::Permission::kDnsEdit,
             bound(service, trigger));
  router.add("GET", records + "/scan/review", identity::Permission::kDnsRead,
             bound(service, list_findings));
  router.add("POST", records + "/scan/review", identity::Permission::kDnsEdit,
             bound(service, judge_findings));
}

}  // namespace brink::ctl::api
