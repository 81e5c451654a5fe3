// Codec::Tables: nghttp2's callbacks and options. Internal to l7/http2.
#pragma once

#include <nghttp2/nghttp2.h>

#include "l7/http2/codec.h"

namespace brink::l7::http2 {

struct Codec::Tables {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* server = nullptr;
  nghttp2_option* client = nullptr;
};

}  // namespace brink::l7::http2
