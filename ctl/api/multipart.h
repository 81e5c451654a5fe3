// multipart/form-data bodies (RFC 7578), as browsers and curl -F send them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"

namespace brink::ctl::api {

// Parts by field name; the values borrow from `body`. Fails when the boundary is absent or a part
// is not closed.
base::Result<std::map<std::string, std::string_view>> parse_multipart(std::string_view content_type,
                                                                      std::string_view body);

}  // namespace brink::ctl::api
