// resolve: the decision of RFC 1034 4.3.2 for one question, encoded as it is made. Hot.
#pragma once

#include <cstdint>

#include "dataplane/snapshot/view.h"
#include "dns/answer/response.h"
#include "dns/answer/slot.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

enum class Outcome : std::uint8_t { kData, kNoData, kReferral, kNxDomain, kTooLong, kRefused, kServFail };

// Answers the query of `slot`, whose name stands at offset 12 of the message and was looked up.
// Following an alias overwrites its key.
Outcome resolve(const snapshot::View& view, Slot& slot, Response& response) noexcept;

}  // namespace brink::dns::answer
