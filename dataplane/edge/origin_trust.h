// Whom the edge trusts to sign certificates of origins, where a zone names nobody else. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/result.h"

namespace brink::edge {

// The certificates of a file in PEM, DER one behind the other; `path` empty: none. An Error names
// the file and what is wrong with it.
base::Result<std::vector<std::uint8_t>> read_origin_trust(const std::string& path);

}  // namespace brink::edge
