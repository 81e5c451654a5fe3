// One connection of the API's server: head, body, handler, answer, and again. Over plain streams
// and TLS alike. Only server.cc includes this.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "ctl/api/server.h"
#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using LocalProtocol = asio::local::stream_protocol;
using TcpProtocol = asio::ip::tcp;
using boost::system::error_code;

using LocalStream = beast::basic_stream<LocalProtocol>;
using TcpStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using TlsContext = std::shared_ptr<asio::ssl::context>;

inline constexpr std::size_t kHeadSizeMax = 32 * 1024;
// Of requests over TCP before it is known whom they come from, and whether he may send them.
inline constexpr std::size_t kUnknownBodySizeMax = 64 * 1024;

// What all sessions share; lives as long as the I/O context.
struct Shared {
  ServerOptions options;
  Server::Handler handler;
  Server::Admission admission;
  // By listener: a crowd on TCP leaves the operator's socket alone. Sessions may end on the thread
  // that responded.
  std::atomic<std::size_t> local_connections = 0, tcp_connections = 0;
  std::atomic<std::size_t> unanswered = 0;  // handler called, answer not written yet
  bool draining = false;                    // I/O thread only
  TlsContext tls;                           // I/O thread only; null: plain HTTP
};

// The other end.
struct Peer {
  bool trusted = false;  // of the UNIX socket
  std::uint32_t uid = 0;
  base::IpAddress address;
};

template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <typename Socket>
  Session(Socket socket, Shared& shared,
          const Peer& peer) requires(!std::is_same_v<Stream, TlsStream>)
      : stream_(std::move(socket)), shared_(shared), peer_(peer) {
    ++connections();
  }
  Session(TcpProtocol::socket socket, Shared& shared,
          const Peer& peer) requires std::is_same_v<Stream, TlsStream>
      : tls_(shared.tls), stream_(std::move(socket), *tls_), shared_(shared), peer_(peer) {
    ++connections();
  }
  ~Session() { --connections(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      lowest().expires_after(shared_.options.handshake_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (!error) self->read_head();
                              });
    } else {
      read_head();
    }
  }

 private:
  void read_head() {
    parser_.emplace();
    parser_->header_limit(kHeadSizeMax);
    // A declared length is held against this as soon as the head is there, so it must be the
    // largest of any path; on_head sets the path's own.
    parser_->body_limit(std::max(shared_.options.body_size_max, import_size_max()));
    lowest().expires_after(shared_.options.idle_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, std::size_t) { self->on_head(error); });
  }

  void on_head(error_code error) {
    if (error) return fail(error);
    const auto& head = parser_->get();
    const bool is_import = head.target().find("/dns_records/import") != beast::string_view::npos;
    const auto& options = shared_.options;
    const std::size_t limit = is_import ? import_size_max() : options.body_size_max;
    parser_->body_limit(limit);
    const auto declared = parser_->content_length();
    if (declared && *declared > limit) return fail(http::error::body_limit);
    const bool may_be_large = declared ? *declared > kUnknownBodySizeMax : parser_->chunked();
    if (peer_.trusted || !may_be_large) return take_body();
    if (!shared_.admission || credentials_of(head).empty()) {
      parser_->body_limit(kUnknownBodySizeMax);
      return declared ? fail(http::error::body_limit) : take_body();
    }
    ask_for_admission();
  }

  // Nothing is read meanwhile.
  void ask_for_admission() {
    lowest().expires_never();
    if (shared_.draining) return turn_away(stopping());
    shared_.admission(request_of(parser_->get()), [self = this->shared_from_this()](
                                                      std::optional<Answer> answer) {
      asio::post(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable {
        if (answer) return self->turn_away(*std::move(answer));
        self->take_body();
      });
    });
  }

  // The body stays unread, so that where the next request would start is unknown.
  void turn_away(Answer answer) {
    version_ = parser_->get().version();
    keep_alive_ = false;
    write(std::move(answer));
  }

  void take_body() {
    lowest().expires_after(shared_.options.body_timeout);
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
    // RFC 9110 10.1.1: the client waits for this before it sends the body.
    asio::async_write(stream_, asio::buffer(kContinue, sizeof kContinue - 1),
                      [self = this->shared_from_this()](error_code failed, std::size_t) {
                        if (!failed) self->read_body();
                      });
  }

  void read_body() {
    const auto size = parser_->content_length();
    // Others get memory for what they have sent, not for what they say.
    if (peer_.trusted && size && *size > kReadMax) return read_large_body(*size);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, std::size_t) { self->on_body(error); });
  }

  // As it lies in the socket, in the place where it stays.
  void read_large_body(std::uint64_t size) {
    std::string& body = parser_->get().body();
    body.resize(size);
    const std::size_t here = std::min(buffer_.size(), body.size());
    std::copy_n(static_cast<const char*>(buffer_.data().data()), here, body.begin());
    buffer_.consume(here);
    asio::async_read(
        stream_, asio::buffer(body) + here,
        [left = size - here](error_code error, std::size_t read) {
          return error ? 0 : std::min<std::size_t>(left - read, kReadMax);
        },
        [self = this->shared_from_this()](error_code error, std::size_t) { self->on_body(error); });
  }

  void on_body(error_code error) {
    if (error) return fail(error);
    // The handler takes as long as it takes; the peer is not waited for meanwhile.
    lowest().expires_never();
    auto message = parser_->release();
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    Request request = request_of(message);
    request.body = std::move(message.body());
    // There may be a private key in it; what of the next request is there already stays.
    const auto used = buffer_.prepare(buffer_.capacity() - buffer_.size());
    secret::wipe(std::span(static_cast<char*>(used.data()), used.size()));
    auto respond = [self = this->shared_from_this()](Answer answer) {
      asio::post(self->stream_.get_executor(),
                 [self, answer = std::move(answer)]() mutable { self->write(std::move(answer)); });
    };
    ++shared_.unanswered;
    has_request_ = true;
    if (shared_.draining) return write(stopping());
    shared_.handler(std::move(request), std::move(respond));
  }

  void write(Answer answer) {
    response_.emplace(static_cast<http::status>(answer.status), version_);
    response_->set(http::field::server, "brink");
    if (!answer.content_type.empty()) {
      response_->set(http::field::content_type, answer.content_type);
    }
    for (const auto& [name, value] : answer.headers) response_->set(name, value);
    response_->keep_alive(keep_alive_);
    response_->body() = std::move(answer.body);
    // RFC 9110 8.6: a 204 has no Content-Length.
    if (answer.status != 204) response_->prepare_payload();
    lowest().expires_after(shared_.options.write_timeout);
    http::async_write(stream_, *response_,
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        self->on_written(error);
                      });
  }

  void on_written(error_code error) {
    if (std::exchange(has_request_, false)) --shared_.unanswered;
    if (error) return;
    if (keep_alive_) return read_head();
    end();
  }

  void end() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      lowest().expires_after(shared_.options.handshake_timeout);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) {});
    } else {
      error_code ignored;
      stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    }
  }

  // A request that cannot be read is answered if it is the client's mistake, then the connection
  // ends: where the next request would start is unknown.
  void fail(error_code error) {
    if (error.category() != make_error_code(http::error::end_of_stream).category()) return;
    if (error == http::error::end_of_stream || error == http::error::partial_message) return;
    keep_alive_ = false;
    version_ = 11;
    model::Refusal refusal{
        400, kCodeBadBody, "The HTTP request is malformed: " + error.message(), {}};
    if (error == http::error::body_limit) {
      refusal = {413, kCodeTooLarge, "The request body is too large.", {}};
    } else if (error == http::error::header_limit) {
      refusal = {431, kCodeTooLarge, "The request head is too large.", {}};
    }
    write(to_answer(refuse(std::move(refusal))));
  }

  static Answer stopping() {
    return to_answer(refuse({503, kCodeStopping, "brink-control is stopping.", {}}));
  }

  // Without the body.
  template <typename Message>
  Request request_of(const Message& message) const {
    Request request;
    request.method = std::string(message.method_string());
    set_target(request, {message.target().data(), message.target().size()});
    request.content_type = std::string(message[http::field::content_type]);
    request.trusted = peer_.trusted;
    request.uid = peer_.uid;
    request.peer = peer_.address;
    request.credentials = credentials_of(message);
    return request;
  }

  [[nodiscard]] std::size_t import_size_max() const {
    return peer_.trusted ? shared_.options.import_body_size_max_trusted
                         : shared_.options.import_body_size_max;
  }

  // Each as often as it was sent; who sends two is told so.
  template <typename Message>
  static Credentials credentials_of(const Message& message) {
    Credentials credentials;
    const auto take = [&](const char* name, std::vector<std::string>& values) {
      const auto [first, last] = message.equal_range(name);
      for (auto field = first; field != last; ++field) {
        values.emplace_back(field->value().data(), field->value().size());
      }
    };
    take("Authorization", credentials.authorization);
    take("X-Auth-Email", credentials.email);
    take("X-Auth-Key", credentials.key);
    return credentials;
  }

  auto& lowest() { return beast::get_lowest_layer(stream_); }
  std::atomic<std::size_t>& connections() {
    return peer_.trusted ? shared_.local_connections : shared_.tcp_connections;
  }

  static constexpr std::size_t kReadMax = 1 << 20;  // at once
  static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

  TlsContext tls_;  // before the stream, which refers to it
  Stream stream_;
  Shared& shared_;
  const Peer peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool has_request_ = false;
};

}  // namespace brink::ctl::api
