#include "l7/http2/callbacks.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/http2/head_reader.h"

namespace brink::l7::http2 {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

void Session::Callbacks::install(nghttp2_session_callbacks* table) noexcept {
  nghttp2_session_callbacks_set_on_begin_headers_callback(table, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(table, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(table, on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, on_data_chunk);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table, on_invalid_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(table, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(table, on_frame_send);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(table, on_frame_not_send);
  nghttp2_session_callbacks_set_send_data_callback(table, send_body);
}

nghttp2_mem Session::Callbacks::memory_of(Session& session) noexcept {
  return {
      .mem_user_data = &session,
      .malloc = [](std::size_t size, void* of) -> void* {
        return static_cast<Session*>(of)->allocate(size);
      },
      .free = [](void* memory, void* of) { static_cast<Session*>(of)->release(memory); },
      .calloc = [](std::size_t count, std::size_t size, void* of) -> void* {
        std::size_t bytes = 0;
        if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
        void* const memory = static_cast<Session*>(of)->allocate(bytes);
        if (memory != nullptr) std::memset(memory, 0, bytes);
        return memory;
      },
      .realloc = [](void* old, std::size_t size, void* of) -> void* {
        auto& owner = *static_cast<Session*>(of);
        if (old != nullptr && size != 0 && Arena::size_of(old) >= size) return old;
        void* const memory = owner.allocate(size);
        if (memory == nullptr || old == nullptr) return memory;
        std::memcpy(memory, old, std::min(size, Arena::size_of(old)));
        owner.release(old);
        return memory;
      },
  };
}

int Session::Callbacks::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame,
                                         void* session) {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;  // PUSH_PROMISE is a connection error already
  static_cast<Session*>(session)->begin_head(frame->hd.stream_id,
                                             frame->headers.cat == NGHTTP2_HCAT_REQUEST,
                                             (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
  return 0;
}

int Session::Callbacks::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                  const std::uint8_t* name, std::size_t name_size,
                                  const std::uint8_t* value, std::size_t value_size,
                                  std::uint8_t /*flags*/, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (frame->hd.stream_id != self.head_stream_) return 0;
  HeadReader& reader = *self.codec_->reader_;
  reader.field(text_of(name, name_size), text_of(value, value_size));
  if (reader.is_bomb()) self.end(EndReason::head_bomb, ErrorCode::enhance_your_calm);
  return 0;
}

int Session::Callbacks::on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* session) {
  auto& self = *static_cast<Session*>(session);
  const StreamId id = frame->hd.stream_id;
  const bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      self.finish_head(id, end_stream);
      break;
    case NGHTTP2_DATA:
      if (Stream* const stream = self.find(id); stream != nullptr && end_stream) {
        self.message_ended(*stream, nullptr);
      }
      break;
    case NGHTTP2_RST_STREAM:
      self.stream_reset(id, static_cast<ErrorCode>(frame->rst_stream.error_code));
      break;
    case NGHTTP2_SETTINGS:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) self.announced_ = true;
      break;
    case NGHTTP2_GOAWAY:
      self.peer_goaway_ = true;
      if (self.end_reason_ == EndReason::none) self.end_reason_ = EndReason::peer_goaway;
      break;
    case NGHTTP2_WINDOW_UPDATE: {
      constexpr std::int32_t kSmall = 64;
      if (frame->window_update.window_size_increment < kSmall) {
        self.add_glitch(Glitch::small_window);
      }
      break;
    }
    case NGHTTP2_PRIORITY_UPDATE: {
      const auto* update = static_cast<const nghttp2_ext_priority_update*>(frame->ext.payload);
      // RFC 9218 7.1
      if (update->stream_id == 0) self.end(EndReason::protocol, ErrorCode::protocol_error);
      break;
    }
    default:
      break;
  }
  return 0;
}

int Session::Callbacks::on_data_chunk(nghttp2_session*, std::uint8_t /*flags*/, std::int32_t stream,
                                      const std::uint8_t* data, std::size_t size, void* session) {
  static_cast<Session*>(session)->body_came(stream, text_of(data, size));
  return 0;
}

int Session::Callbacks::on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error,
                                         void* session) {
  static_cast<Session*>(session)->frame_refused(frame->hd.stream_id,
                                                error == NGHTTP2_ERR_REFUSED_STREAM);
  return 0;
}

int Session::Callbacks::on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t code,
                                        void* session) {
  static_cast<Session*>(session)->stream_closed(stream, static_cast<ErrorCode>(code));
  return 0;
}

int Session::Callbacks::on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* session) {
  auto& self = *static_cast<Session*>(session);
  const bool ends = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (ends && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self.sent_end(frame->hd.stream_id);
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
    // nghttp2 found the fault; our own ends have their reason already.
    self.end(EndReason::protocol, static_cast<ErrorCode>(frame->goaway.error_code));
  }
  return 0;
}

int Session::Callbacks::on_frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int error,
                                          void* session) {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  auto& self = *static_cast<Session*>(session);
  const bool opens = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  const bool unfit = error == NGHTTP2_ERR_FRAME_SIZE_ERROR || error == NGHTTP2_ERR_HEADER_COMP;
  if (!opens && error != NGHTTP2_ERR_SESSION_CLOSING) {
    self.reset(frame->hd.stream_id, ErrorCode::internal_error);
  }
  // A request that never left needs no RST_STREAM. One that may leave elsewhere is told when
  // nghttp2 closes its stream.
  Stream* const stream = opens && unfit ? self.find(frame->hd.stream_id) : nullptr;
  if (stream != nullptr) {
    self.post_reset(*stream, ResetCause::own, ErrorCode::internal_error);
  }
  return 0;
}

ssize_t Session::Callbacks::read_body(nghttp2_session*, std::int32_t stream,
                                      std::uint8_t* /*buffer*/, std::size_t size,
                                      std::uint32_t* flags, nghttp2_data_source*, void* session) {
  return static_cast<Session*>(session)->pull_body(stream, size, *flags);
}

// The body is in the caller's room already, behind space for this header.
int Session::Callbacks::send_body(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header,
                                  std::size_t size, nghttp2_data_source*, void* session) {
  auto& self = *static_cast<Session*>(session);
  CHECK(FrameScan::kHeaderSize + size <= self.room_.size());
  std::memcpy(self.room_.data(), header, FrameScan::kHeaderSize);
  self.room_ = self.room_.subspan(FrameScan::kHeaderSize + size);
  self.wrote_body_ = true;
  return NGHTTP2_ERR_PAUSE;  // sent; the next frame needs a look at the room first
}

}  // namespace brink::l7::http2
