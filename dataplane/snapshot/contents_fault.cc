#include "dataplane/snapshot/contents_fault.h"

#include <algorithm>

#include "dataplane/snapshot/view.h"
#include "dataplane/snapshot/verify.h"

namespace brink::snapshot {
namespace {

std::string fault_of_blob(std::span<const std::uint8_t> blob) {
  if (const auto verified = verify_blob(blob); !verified) return verified.error().what;
  const auto& header = *reinterpret_cast<const BlobHeader*>(blob.data());
  return blob_size(header) == blob.size() ? "" : "there is more behind a blob";
}

std::string fault_of_negative(std::span<const std::uint8_t> negative) {
  if (const std::string fault = fault_of_blob(negative); !fault.empty()) {
    return "its negative answer: " + fault;
  }
  return "";
}

}  // namespace

std::string fault_of(const NameContents& contents) {
  for (const Rrset& set : contents.rrsets) {
    if (set.type == 0) return "an RRset has type 0";
    const auto same = [&](const Rrset& other) { return other.type == set.type; };
    if (std::count_if(contents.rrsets.begin(), contents.rrsets.end(), same) > 1) {
      return "two RRsets have type " + std::to_string(set.type);
    }
    std::string fault = fault_of_blob(set.blob);
    if (fault.empty() && !set.signed_blob.empty()) {
      fault = fault_of_blob(set.signed_blob);
    }
    if (!fault.empty()) return fault + " (type " + std::to_string(set.type) + ")";
  }
  return "";
}

std::string fault_of(const ZoneContents& contents) {
  if (std::string fault = fault_of_negative(contents.negative); !fault.empty()) return fault;
  if (reinterpret_cast<const BlobHeader*>(contents.negative.data())->body_count != 1) {
    return "its negative answer is not one SOA";
  }
  if (!contents.signed_negative.empty()) {
    if (std::string fault = fault_of_negative(contents.signed_negative); !fault.empty()) {
      return fault;
    }
  }
  const Denial& denial = contents.denial;
  if (denial.kind != DenialKind::kNsec3) {
    return denial.iterations == 0 && denial.salt.empty() ? ""
                                                         : "only NSEC3 has iterations and salt";
  }
  if (denial.iterations > kNsec3IterationsMax) {
    return "its NSEC3 iterations are more than " + std::to_string(kNsec3IterationsMax);
  }
  if (denial.salt.size() > kNsec3SaltMax) {
    return "its NSEC3 salt has more than " + std::to_string(kNsec3SaltMax) + " octets";
  }
  return "";
}

}  // namespace brink::snapshot
