// A DNS message taken apart into its records. By ldns. Cold. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

struct MessageRecords {
  std::uint8_t rcode = 0;  // of the header: its four bits
  bool authoritative = false;
  bool truncated = false;
  std::vector<ResourceRecord> answer;
  std::vector<ResourceRecord> authority;
  std::vector<ResourceRecord> additional;  // without OPT
};

// `message` is a whole message (RFC 1035 4); names in the result are spelled out. Fails with the
// parser's reason.
base::Result<MessageRecords> read_message(std::span<const std::uint8_t> message);

}  // namespace brink::dns::zone
