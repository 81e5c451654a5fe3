#include "ctl/resolve/answer.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "dns/zone/message.h"

namespace brink::ctl::resolve {
namespace {

using dns::zone::MessageRecords;
using dns::zone::ResourceRecord;
using dns::zone::Wire;
using model::DomainName;

constexpr std::uint8_t kNoError = 0, kNameError = 3;

std::optional<DomainName> to_name(const Wire& wire) {
  return DomainName::from_wire(
      std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()));
}

// RFC 2181 8: a TTL with its top bit set is zero.
std::uint32_t ttl_of(const ResourceRecord& record) {
  return record.ttl > std::numeric_limits<std::int32_t>::max() ? 0 : record.ttl;
}

const ResourceRecord* find(const std::vector<ResourceRecord>& records, const DomainName& owner,
                           model::RecordType type) {
  const auto found = std::find_if(records.begin(), records.end(), [&](const ResourceRecord& each) {
    return each.type == type && to_name(each.owner) == owner;
  });
  return found == records.end() ? nullptr : &*found;
}

// An IPv6 record that holds a mapped IPv4 address is none: it would pass as what it is not.
std::optional<base::IpAddress> address_of(const ResourceRecord& record) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(record.rdata.data());
  if (record.type == model::kTypeA && record.rdata.size() == 4) {
    return base::IpAddress::v4_from_wire(octets);
  }
  if (record.type != model::kTypeAaaa || record.rdata.size() != 16) return std::nullopt;
  const auto address = base::IpAddress::v6_from_wire(octets);
  return address.is_v4() ? std::nullopt : std::optional(address);
}

// RFC 2308 5: how long it may be held that there is nothing.
std::uint32_t negative_ttl(const MessageRecords& records) {
  for (const ResourceRecord& record : records.authority) {
    if (record.type != dns::zone::kTypeSoa || record.rdata.size() < 4) continue;
    std::uint32_t minimum = 0;
    for (std::size_t i = record.rdata.size() - 4; i < record.rdata.size(); ++i) {
      minimum = minimum << 8 | static_cast<std::uint8_t>(record.rdata[i]);
    }
    return std::min(ttl_of(record), minimum);
  }
  return 0;
}

bool has(const std::vector<ResourceRecord>& records, model::RecordType type) {
  return std::any_of(records.begin(), records.end(),
                     [type](const ResourceRecord& each) { return each.type == type; });
}

// Reads the chain, record by record.
class Reader {
 public:
  Reader(const Question& question, const MessageRecords& records)
      : question_(question), records_(records), at_(question.name) {}

  Answer read();

 private:
  bool follow();
  void take_addresses();
  Answer nothing(std::string reason);

  const Question& question_;
  const MessageRecords& records_;
  DomainName at_;
  Answer answer_;
};

// False: the chain has no end.
bool Reader::follow() {
  while (const ResourceRecord* alias = find(records_.answer, at_, model::kTypeCname)) {
    const auto target = to_name(alias->rdata);
    if (!target || ++answer_.links > kChainMax) return false;
    answer_.ttl_s = std::min(answer_.ttl_s, ttl_of(*alias));
    at_ = *target;
  }
  return true;
}

void Reader::take_addresses() {
  for (const ResourceRecord& record : records_.answer) {
    if (record.type != question_.type || to_name(record.owner) != at_) continue;
    const auto address = address_of(record);
    if (!address) continue;
    answer_.ttl_s = std::min(answer_.ttl_s, ttl_of(record));
    answer_.addresses.push_back(*address);
  }
  auto& addresses = answer_.addresses;
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
}

Answer Reader::nothing(std::string reason) {
  answer_.kind = Answer::Kind::kNothing;
  answer_.ttl_s = std::min(answer_.ttl_s, negative_ttl(records_));
  answer_.reason = std::move(reason);
  return std::move(answer_);
}

Answer Reader::read() {
  answer_.ttl_s = std::numeric_limits<std::int32_t>::max();
  if (records_.truncated) return Answer::failed("the answer is truncated");
  if (records_.rcode != kNoError && records_.rcode != kNameError) {
    return Answer::failed("the server answered with rcode " + std::to_string(records_.rcode));
  }
  if (!follow()) return Answer::failed("its CNAME records form a loop, or too long a chain");
  take_addresses();
  if (!answer_.addresses.empty()) {
    answer_.kind = Answer::Kind::kAddresses;
    return std::move(answer_);
  }
  if (records_.rcode == kNameError) return nothing("there is no such name");
  const bool has_soa = has(records_.authority, dns::zone::kTypeSoa);
  if (answer_.links > 0 && !has_soa) {
    answer_.kind = Answer::Kind::kAlias;
    answer_.alias = at_;
    return std::move(answer_);
  }
  if (!has_soa && !records_.authoritative && has(records_.authority, model::kTypeNs)) {
    return Answer::failed("the server does not resolve: it refers to others");
  }
  return nothing("the name has no such addresses");
}

}  // namespace

Answer read_answer(const Question& question, std::span<const std::uint8_t> message) {
  const auto records = dns::zone::read_message(message);
  if (!records) return Answer::failed(records.error().message());
  return Reader(question, records.value()).read();
}

}  // namespace brink::ctl::resolve
