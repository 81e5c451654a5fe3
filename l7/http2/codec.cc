#include "l7/http2/codec.h"

#include <algorithm>

#include "dataplane/base/check.h"
#include "l7/http2/callbacks.h"
#include "l7/http2/head_reader.h"
#include "l7/http2/tables.h"

namespace brink::l7::http2 {
namespace {

// Acknowledgements of SETTINGS and PING that wait for room; more end the connection.
constexpr std::size_t kAcknowledgementsMax = 64;
// nghttp2 counts resets itself, by a clock of its own; ours are glitches.
constexpr std::uint64_t kManyResets = 1U << 30;

std::size_t text_size(const Settings& server, const Settings& client) noexcept {
  return HeadReader::text_size(std::max(server.head_max, client.head_max));
}

nghttp2_option* make_options(const Settings& settings, bool server) {
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_http_messaging(options, 1);  // HeadReader judges messages
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_outbound_ack(options, kAcknowledgementsMax);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, settings.header_table_size);
  if (server) {
    nghttp2_option_set_builtin_recv_extension_type(options, NGHTTP2_PRIORITY_UPDATE);
    nghttp2_option_set_stream_reset_rate_limit(options, kManyResets, kManyResets);
  }
  return options;
}

}  // namespace

Codec::Codec(std::span<std::byte> memory, const Settings& server, const Settings& client)
    : arena_(memory),
      server_(server),
      client_(client),
      head_text_(std::make_unique<char[]>(text_size(server, client))),
      reader_(std::make_unique<HeadReader>(std::span(head_text_.get(), text_size(server, client)))),
      tables_(std::make_unique<Tables>()) {
  CHECK(nghttp2_session_callbacks_new(&tables_->callbacks) == 0);
  Session::Callbacks::install(tables_->callbacks);
  tables_->server = make_options(server, true);
  tables_->client = make_options(client, false);
}

Codec::~Codec() {
  nghttp2_option_del(tables_->client);
  nghttp2_option_del(tables_->server);
  nghttp2_session_callbacks_del(tables_->callbacks);
}

}  // namespace brink::l7::http2
