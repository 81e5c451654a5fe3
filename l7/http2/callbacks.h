// Session::Callbacks: what nghttp2 calls, turned into the session's own words. Internal to
// l7/http2.
#pragma once

#include <nghttp2/nghttp2.h>

#include "l7/http2/session.h"

namespace brink::l7::http2 {

struct Session::Callbacks {
  static void install(nghttp2_session_callbacks* table) noexcept;
  // The allocator of one session; counts and limits what it takes of the arena.
  static nghttp2_mem memory_of(Session& session) noexcept;

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* session);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* session);
  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* session);
  static int on_data_chunk(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                           const std::uint8_t* data, std::size_t size, void* session);
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error,
                              void* session);
  static int on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t code,
                             void* session);
  static int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* session);
  static int on_frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int error,
                               void* session);
  static ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* buffer,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* session);
  static int send_body(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header,
                       std::size_t size, nghttp2_data_source*, void* session);
};

}  // namespace brink::l7::http2
