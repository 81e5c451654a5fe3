#include "ctl/metrics/server.h"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <optional>
#include <thread>

#include "ctl/metrics/exposition.h"

namespace brink::ctl::metrics {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kHeadMax = 8 * 1024;
constexpr std::size_t kBodyMax = 1024;

http::response<http::string_body> answer_to(const http::request<http::string_body>& request,
                                            const std::string& stats_path) {
  http::response<http::string_body> response(http::status::ok, request.version());
  response.set(http::field::server, "brink");
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.keep_alive(false);
  const auto target = request.target();
  const bool is_read = request.method() == http::verb::get || request.method() == http::verb::head;
  if (target.substr(0, target.find('?')) != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "Metrics are at /metrics.\n";
  } else if (!is_read) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    response.body() = "Metrics can be read with GET.\n";
  } else {
    const auto accept = request[http::field::accept];
    const Format format = format_for({accept.data(), accept.size()});
    const auto sample = ipc::read_stats(stats_path);
    const std::string_view type = content_type_of(format);
    response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
    response.body() = exposition(sample.ok() ? &sample.value() : nullptr, format);
  }
  response.content_length(response.body().size());
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

// One request and its answer.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, const ServerOptions& options, std::size_t& connections)
      : stream_(std::move(socket)), options_(options), connections_(connections) {
    ++connections_;
    parser_.header_limit(kHeadMax);
    parser_.body_limit(kBodyMax);
  }
  ~Exchange() { --connections_; }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void start() {
    stream_.expires_after(options_.timeout);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    response_ = answer_to(parser_.get(), options_.stats_path);
    serializer_.emplace(response_);
    stream_.expires_after(options_.timeout);
    const bool head_only = parser_.get().method() == http::verb::head;
    const auto done = [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    };
    if (head_only) {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  beast::tcp_stream stream_;
  const ServerOptions& options_;
  std::size_t& connections_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

}  // namespace

class Server::Impl {
 public:
  explicit Impl(const ServerOptions& options)
      : options_(options), context_(1), acceptor_(context_), retry_(context_) {}
  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  base::Result<void> start() {
    error_code error;
    const std::string text(options_.listen.address.text().view());
    const tcp::endpoint endpoint(asio::ip::make_address(text), options_.listen.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return base::Error{"cannot listen: " + error.message(),
                         "metrics-listen = " + text + ":" + std::to_string(options_.listen.port),
                         "choose a free address of this machine, or off"};
    }
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      if (connections_ < options_.connections_max) {
        std::make_shared<Exchange>(std::move(socket), options_, connections_)->start();
      }
      accept();
    });
  }
  // Out of descriptors, most likely: pause, so as not to spin.
  void accept_later() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  const ServerOptions options_;
  std::size_t connections_ = 0;  // before the context: exchanges refer to it until that ends
  asio::io_context context_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::thread thread_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::uint16_t Server::port() const {
  return impl_->port();
}

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace brink::ctl::metrics
