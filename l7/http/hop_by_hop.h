// Hop-by-hop fields (RFC 9110 7.6.1): what belongs to one connection and is never forwarded.
#pragma once

#include <cstdint>

#include "l7/http/head.h"

namespace brink::l7::http {

// Connection options of one message beyond this number are refused.
inline constexpr std::size_t kMaxConnectionOptions = 32;

struct ConnectionOptions {
  bool valid = true;  // false: an option is not a token, or there are too many
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

// True for the fields that are hop-by-hop in every message, listed in Connection or not.
bool is_always_hop_by_hop(FieldName id) noexcept;

// mark_hop_by_hop reads every Connection field and sets kFieldHopByHop on the fields that end here:
// the fixed set and those that a Connection option names.
ConnectionOptions mark_hop_by_hop(Fields& fields) noexcept;

}  // namespace brink::l7::http
