// resolve: the decision of RFC 1034 4.3.2 for one question, encoded as it is made. Hot.
#pragma once

#include <cstdint>

#include "dataplane/snapshot/view.h"
#include "dns/answer/response.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

enum class Outcome : std::uint8_t { kData, kNoData, kReferral, kNxDomain, kTooLong, kRefused, kServFail };

// Answers `query`, whose name stands at offset 12 of the message and whose lookup gave `found`.
// `key` is scratch: following an alias overwrites it.
Outcome resolve(const snapshot::View& view, const wire::Query& query, snapshot::Lookup found,
                snapshot::NameKey& key, Response& response) noexcept;

}  // namespace brink::dns::answer
