#include "dns/zone/message.h"

#include <memory>

#include "dns/zone/ldns_owner.h"

namespace brink::dns::zone {
namespace {

std::vector<ResourceRecord> records_of(const ldns_rr_list* list) {
  std::vector<ResourceRecord> records;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const ldns_rr* rr = ldns_rr_list_rr(list, i);
    records.push_back({wire_of(ldns_rr_owner(rr)), static_cast<std::uint16_t>(ldns_rr_get_type(rr)),
                       ldns_rr_ttl(rr), rdata_of(rr)});
  }
  return records;
}

}  // namespace

base::Result<MessageRecords> read_message(std::span<const std::uint8_t> message) {
  ldns_pkt* raw = nullptr;
  const auto status = ldns_wire2pkt(&raw, message.data(), message.size());
  if (status != LDNS_STATUS_OK) {
    return base::Error{std::string("not a DNS message: ") + ldns_get_errorstr_by_id(status), "",
                       ""};
  }
  const std::unique_ptr<ldns_pkt, ReleasedBy<ldns_pkt_free>> packet(raw);
  return MessageRecords{static_cast<std::uint8_t>(ldns_pkt_get_rcode(raw)),
                        ldns_pkt_aa(raw),
                        ldns_pkt_tc(raw),
                        records_of(ldns_pkt_answer(raw)),
                        records_of(ldns_pkt_authority(raw)),
                        records_of(ldns_pkt_additional(raw))};
}

}  // namespace brink::dns::zone
