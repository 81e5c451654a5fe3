// The one place where the control side turns record content into RDATA and back, through dns/zone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/name.h"
#include "dataplane/base/result.h"

namespace brink::ctl::model {

using RecordType = std::uint16_t;  // RFC 1035 3.2.2 code

inline constexpr RecordType kTypeA = 1;
inline constexpr RecordType kTypeNs = 2;
inline constexpr RecordType kTypeCname = 5;
inline constexpr RecordType kTypeSoa = 6;
inline constexpr RecordType kTypePtr = 12;
inline constexpr RecordType kTypeMx = 15;
inline constexpr RecordType kTypeTxt = 16;
inline constexpr RecordType kTypeAaaa = 28;
inline constexpr RecordType kTypeLoc = 29;
inline constexpr RecordType kTypeSrv = 33;
inline constexpr RecordType kTypeDname = 39;
inline constexpr RecordType kTypeDs = 43;
inline constexpr RecordType kTypeRrsig = 46;
inline constexpr RecordType kTypeNsec = 47;
inline constexpr RecordType kTypeDnskey = 48;
inline constexpr RecordType kTypeNsec3 = 50;
inline constexpr RecordType kTypeNsec3Param = 51;
inline constexpr RecordType kTypeCds = 59;
inline constexpr RecordType kTypeCdnskey = 60;
inline constexpr RecordType kTypeUri = 256;

using Rdata = std::vector<std::uint8_t>;  // wire, names uncompressed

std::optional<RecordType> type_from_text(std::string_view text);
std::string type_to_text(RecordType type);

// Presentation format (RFC 1035 5.1); names in it without a final dot are relative to `origin`.
base::Result<Rdata> rdata_from_text(RecordType type, std::string_view text,
                                    const DomainName& origin);
std::string rdata_to_text(RecordType type, std::span<const std::uint8_t> rdata);
// RFC 3597 5: the form that any data has.
std::string generic_text(std::span<const std::uint8_t> rdata);

// Whether both are the same data of this type: host names in it compare without case (RFC 4343 3).
bool is_same_data(RecordType type, std::span<const std::uint8_t> a,
                  std::span<const std::uint8_t> b);

}  // namespace brink::ctl::model
