// The HTTPS record (RFC 9460) that the edge gives the names which it serves HTTPS for. Private to
// this folder.
#pragma once

#include <vector>

#include "dataplane/base/ip.h"
#include "dns/zone/resource_record.h"

namespace brink::ctl::compile {

struct HttpsRecord {
  bool http2 = false;  // beside HTTP/1.1
  std::vector<base::IpAddress> hints = {};
};

// RDATA: priority 1, the name itself, alpn, ipv4hint and ipv6hint (what there is of these), in the
// order of their keys (RFC 9460 2.2).
dns::zone::Wire https_rdata(const HttpsRecord& record);

}  // namespace brink::ctl::compile
