// What brink-edge says of a name (ShowName, dataplane/ipc/control_message.h), taken apart for
// people.
#pragma once

#include "ctl/api/json_input.h"
#include "ctl/publish/edge_link.h"
#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::ctl::api {

// `asked`: the name in wire form. Fails when what came along is no transaction that puts one name.
base::Result<Json> name_json(const dns::zone::Wire& asked, const publish::EdgeReply& reply);

}  // namespace brink::ctl::api
