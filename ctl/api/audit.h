// The audit log of what requests change.
//
// Zones and records need no word from their handlers: what a transaction did to them is read off
// the store's history when it is committed. Whoever changes something else says so with audit(),
// within the transaction; a change of which nothing was said is logged as the bare request. So no
// change is without an entry, and no entry without its change.
#pragma once

#include <optional>
#include <string>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

// Of more records than this, each zone gets one entry with their numbers; the history has the rest.
inline constexpr std::uint64_t kAuditedRecordsMax = 5000;

struct AuditNote {
  std::optional<model::Id> account;
  std::string action;
  std::string resource_type, resource_id, resource_name;
  Json before = nullptr, after = nullptr;  // without secrets
  std::string zone = {};
};

// Within a write transaction of the request that is being handled.
void audit(Service& service, const AuditNote& note);

// The last step of every write transaction; see store::Store::set_before_commit. What the node does
// by itself, outside of requests, is not logged.
void audit_changes(Service& service);

}  // namespace brink::ctl::api
