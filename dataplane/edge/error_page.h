// The operator's page for errors: read from its file, checked. Cold.
#pragma once

#include <memory>
#include <string>

#include "dataplane/base/result.h"

namespace brink::edge {

// An Error names `l7.error-page`, the path, the line, and what to do.
base::Result<std::unique_ptr<const std::string>> read_error_page(const std::string& path);

}  // namespace brink::edge
