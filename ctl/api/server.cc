#include "ctl/api/server.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace brink::ctl::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using LocalProtocol = asio::local::stream_protocol;
using TcpProtocol = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kHeadSizeMax = 32 * 1024;
constexpr std::chrono::seconds kFlushMax{2};
constexpr char kBusyAnswer[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

// What all sessions share; lives as long as the I/O context.
struct Shared {
  ServerOptions options;
  Server::Handler handler;
  std::atomic<std::size_t> connections = 0;  // sessions may end on the thread that responded
  std::atomic<std::size_t> unanswered = 0;   // handler called, answer not written yet
  bool draining = false;                     // I/O thread only
};

// One connection: head, body, handler, answer, and again.
template <typename Protocol>
class Session : public std::enable_shared_from_this<Session<Protocol>> {
 public:
  Session(typename Protocol::socket socket, Shared& shared, bool trusted)
      : stream_(std::move(socket)), shared_(shared), trusted_(trusted) {
    ++shared_.connections;
  }
  ~Session() { --shared_.connections; }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(kHeadSizeMax);
    // A declared length is held against this as soon as the head is there, so it must be the
    // largest of any path; on_head sets the path's own.
    parser_->body_limit(std::max(shared_.options.body_size_max, import_size_max()));
    stream_.expires_after(shared_.options.idle_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, std::size_t) { self->on_head(error); });
  }

 private:
  void on_head(error_code error) {
    if (error) return fail(error);
    const auto& head = parser_->get();
    const bool is_import = head.target().find("/dns_records/import") != beast::string_view::npos;
    const auto& options = shared_.options;
    const std::size_t limit = is_import ? import_size_max() : options.body_size_max;
    parser_->body_limit(limit);
    const auto declared = parser_->content_length();
    if (declared && *declared > limit) return fail(http::error::body_limit);
    stream_.expires_after(options.body_timeout);
    if (!beast::iequals(head[http::field::expect], "100-continue")) return read_body();
    // RFC 9110 10.1.1: the client waits for this before it sends the body.
    asio::async_write(stream_, asio::buffer(kContinue, sizeof kContinue - 1),
                      [self = this->shared_from_this()](error_code failed, std::size_t) {
                        if (!failed) self->read_body();
                      });
  }

  void read_body() {
    http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, std::size_t) { self->on_body(error); });
  }

  void on_body(error_code error) {
    if (error) return fail(error);
    // The handler takes as long as it takes; the peer is not waited for meanwhile.
    stream_.expires_never();
    auto message = parser_->release();
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    Request request;
    request.method = std::string(message.method_string());
    set_target(request, {message.target().data(), message.target().size()});
    request.content_type = std::string(message[http::field::content_type]);
    request.body = std::move(message.body());
    request.trusted = trusted_;
    auto respond = [self = this->shared_from_this()](Answer answer) {
      asio::post(self->stream_.get_executor(),
                 [self, answer = std::move(answer)]() mutable { self->write(std::move(answer)); });
    };
    ++shared_.unanswered;
    has_request_ = true;
    if (shared_.draining) {
      return write(to_answer(refuse({503, kCodeStopping, "brink-control is stopping.", {}})));
    }
    shared_.handler(std::move(request), std::move(respond));
  }

  void write(Answer answer) {
    response_.emplace(static_cast<http::status>(answer.status), version_);
    response_->set(http::field::server, "brink");
    response_->set(http::field::content_type, answer.content_type);
    response_->keep_alive(keep_alive_);
    response_->body() = std::move(answer.body);
    response_->prepare_payload();
    stream_.expires_after(shared_.options.write_timeout);
    http::async_write(stream_, *response_,
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        self->on_written(error);
                      });
  }

  void on_written(error_code error) {
    if (std::exchange(has_request_, false)) --shared_.unanswered;
    if (error) return;
    if (keep_alive_) return read_head();
    error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
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

  [[nodiscard]] std::size_t import_size_max() const {
    return trusted_ ? shared_.options.import_body_size_max_trusted
                    : shared_.options.import_body_size_max;
  }

  static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

  beast::basic_stream<Protocol> stream_;
  Shared& shared_;
  const bool trusted_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool has_request_ = false;
};

template <typename Protocol>
class Listener {
 public:
  Listener(asio::io_context& context, Shared& shared, bool trusted)
      : acceptor_(context), retry_(context), shared_(shared), trusted_(trusted) {}

  error_code listen(const typename Protocol::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if constexpr (std::is_same_v<Protocol, TcpProtocol>) {
      if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, typename Protocol::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later(error);
      start(std::move(socket));
      accept();
    });
  }

 private:
  void start(typename Protocol::socket socket) {
    if (shared_.connections < shared_.options.connections_max) {
      std::make_shared<Session<Protocol>>(std::move(socket), shared_, trusted_)->read_head();
      return;
    }
    // Best effort, without waiting: then the socket closes.
    ::send(socket.native_handle(), kBusyAnswer, sizeof kBusyAnswer - 1,
           MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  // Out of descriptors, most likely: pause, so as not to spin.
  void accept_later(error_code error) {
    spdlog::warn("a connection cannot be accepted: {}", error.message());
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  typename Protocol::acceptor acceptor_;
  asio::steady_timer retry_;
  Shared& shared_;
  const bool trusted_;
};

base::Error listen_error(const std::string& where, const std::string& what,
                         const std::string& remedy) {
  return {"cannot listen: " + what, where, remedy};
}

// A socket file that nobody listens on any more is taken over.
base::Result<void> clear_stale_socket(const std::string& path) {
  asio::io_context context;
  LocalProtocol::socket probe(context);
  error_code error;
  probe.connect(LocalProtocol::endpoint(path), error);
  if (!error) return listen_error(path, "another brink-control answers there", "stop it first");
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
  return {};
}

base::Result<TcpProtocol::endpoint> parse_endpoint(const std::string& text) {
  const auto bad = [&] {
    return listen_error(text, "it is not address:port", "write 127.0.0.1:8053 or [::1]:8053");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad();
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || parsed.ec != std::errc() || parsed.ptr != end) return bad();
  return TcpProtocol::endpoint(address, port);
}

}  // namespace

class Server::Impl {
 public:
  Impl(const ServerOptions& options, Handler handler)
      : context_(1), local_(context_, shared_, true), tcp_(context_, shared_, false) {
    shared_.options = options;
    shared_.handler = std::move(handler);
  }
  ~Impl() {
    if (thread_.joinable()) {
      const auto deadline = std::chrono::steady_clock::now() + kFlushMax;
      while (shared_.unanswered != 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      context_.stop();
      thread_.join();
      ::unlink(shared_.options.socket_path.c_str());
    }
  }

  base::Result<void> start() {
    if (auto local = listen_local(); !local) return local;
    if (!shared_.options.listen.empty()) {
      if (auto tcp = listen_tcp(); !tcp) return tcp;
    }
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  void drain() {
    std::promise<void> done;
    asio::post(context_, [&] {
      shared_.draining = true;
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  base::Result<void> listen_local() {
    const std::string& path = shared_.options.socket_path;
    if (path.empty() || path.size() > 107) {
      return listen_error(path, "the path must have 1 to 107 bytes", "choose a shorter path");
    }
    if (auto cleared = clear_stale_socket(path); !cleared) return cleared;
    const mode_t old_mask = ::umask(0117);  // the file's mode is its access control
    const error_code error = local_.listen(LocalProtocol::endpoint(path));
    ::umask(old_mask);
    if (error) return listen_error(path, error.message(), "make its folder writable");
    local_.accept();
    return {};
  }
  base::Result<void> listen_tcp() {
    const auto endpoint = parse_endpoint(shared_.options.listen);
    if (!endpoint) return endpoint.error();
    const error_code error = tcp_.listen(endpoint.value());
    if (error) {
      return listen_error(shared_.options.listen, error.message(),
                          "choose a free address, or none to switch TCP off");
    }
    tcp_.accept();
    return {};
  }

  Shared shared_;  // before the context: sessions refer to it until the context ends
  asio::io_context context_;
  Listener<LocalProtocol> local_;
  Listener<TcpProtocol> tcp_;
  std::thread thread_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
void Server::drain() {
  impl_->drain();
}

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace brink::ctl::api
