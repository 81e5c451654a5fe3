// Limits of one message head. Settings with these defaults; a codec never holds more than head_max.
#pragma once

#include <cstdint>

#include "l7/http/head.h"
#include "l7/http/verdict.h"

namespace brink::l7::http1 {

using http::name_of;
using http::status_of;
using http::Verdict;

inline constexpr std::uint32_t kHeadMaxCeiling = 128 * 1024;

struct Limits {
  std::uint32_t head_max = 32 * 1024;           // bytes, first line and fields and the empty line
  std::uint32_t target_max = 16 * 1024;         // bytes of a request target
  std::uint32_t field_max = 16 * 1024;          // bytes of one field value
  std::uint32_t fields_max = http::kMaxFields;  // at most http::kFieldsRoom
};

// Progress of one head over several calls: how far the end was already looked for. Reset to {} when
// the next message starts. Total work over any number of calls is linear in the head's size.
struct Progress {
  std::uint32_t scanned = 0;
};

}  // namespace brink::l7::http1
