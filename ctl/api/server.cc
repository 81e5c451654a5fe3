#include "ctl/api/server.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <future>
#include <thread>

#include "ctl/api/session.h"

namespace brink::ctl::api {
namespace {

constexpr std::chrono::seconds kFlushMax{2};
constexpr char kBusyAnswer[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

template <typename Protocol>
class Listener {
 public:
  Listener(asio::io_context& context, Shared& shared)
      : acceptor_(context), retry_(context), shared_(shared) {}

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
  static constexpr bool kIsLocal = std::is_same_v<Protocol, LocalProtocol>;

  void start(typename Protocol::socket socket) {
    const auto& connections = kIsLocal ? shared_.local_connections : shared_.tcp_connections;
    const auto peer = peer_of(socket);
    if (!peer) return;  // gone already
    if (connections < shared_.options.connections_max) return serve(std::move(socket), *peer);
    // Best effort, without waiting: then the socket closes.
    ::send(socket.native_handle(), kBusyAnswer, sizeof kBusyAnswer - 1,
           MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void serve(typename Protocol::socket socket, const Peer& peer) {
    if constexpr (kIsLocal) {
      std::make_shared<Session<LocalStream>>(std::move(socket), shared_, peer)->start();
    } else if (shared_.tls != nullptr) {
      std::make_shared<Session<TlsStream>>(std::move(socket), shared_, peer)->start();
    } else {
      std::make_shared<Session<TcpStream>>(std::move(socket), shared_, peer)->start();
    }
  }

  static std::optional<Peer> peer_of(typename Protocol::socket& socket) {
    Peer peer;
    if constexpr (kIsLocal) {
      ucred credentials{};
      socklen_t size = sizeof credentials;
      if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return std::nullopt;
      }
      peer.trusted = true;
      peer.uid = credentials.uid;
    } else {
      error_code error;
      const auto endpoint = socket.remote_endpoint(error);
      if (error) return std::nullopt;
      const auto address = endpoint.address();
      peer.address = address.is_v4()
                         ? base::IpAddress::v4_from_wire(address.to_v4().to_bytes().data())
                         : base::IpAddress::v6_from_wire(address.to_v6().to_bytes().data());
    }
    return peer;
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
  Impl(const ServerOptions& options, Handler handler, Admission admission)
      : context_(1), local_(context_, shared_), tcp_(context_, shared_) {
    shared_.options = options;
    shared_.handler = std::move(handler);
    shared_.admission = std::move(admission);
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

  base::Result<void> reload_tls() {
    if (shared_.options.tls.certificate.empty()) return {};
    auto context = load_tls_context(shared_.options.tls);
    if (!context) return context.error();
    asio::post(context_, [this, tls = std::move(context).value()] { shared_.tls = tls; });
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
    if (!shared_.options.tls.certificate.empty()) {
      auto context = load_tls_context(shared_.options.tls);
      if (!context) return context.error();
      shared_.tls = std::move(context).value();
    } else if (!endpoint.value().address().is_loopback() && !shared_.options.plain_anywhere) {
      return listen_error(shared_.options.listen,
                          "secrets would pass over the network in the clear",
                          "set api-certificate and api-key, or listen on a loopback address");
    }
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

base::Result<void> Server::reload_tls() {
  return impl_->reload_tls();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
void Server::drain() {
  impl_->drain();
}

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler handler,
                                                    Admission admission) {
  auto impl = std::make_unique<Impl>(options, std::move(handler), std::move(admission));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace brink::ctl::api
