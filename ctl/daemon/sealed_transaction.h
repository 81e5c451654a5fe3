// A transaction for the edge as the publisher hands it over: sealed in a memfd. Private to this
// folder.
#pragma once

#include <cstdint>

#include "ctl/publish/publisher.h"
#include "dataplane/base/result.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::ctl::daemon {

// What `encoder` has, as the step from one version to a state. Nothing may be called of it after
// this.
base::Result<publish::Sealed> seal(snapshot::TransactionEncoder& encoder, std::uint64_t from,
                                   const publish::EdgeState& to);

std::uint64_t unix_now_ns();

}  // namespace brink::ctl::daemon
