#include "ctl/cli/client.h"

#include <sys/stat.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fstream>

namespace brink::ctl::cli {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

using Request = http::request<http::string_body>;
using Answer = http::response<http::string_body>;

base::Error fault(const Connection& connection, const std::string& what, const error_code& error) {
  return {what + ": " + error.message(), connection.name(),
          connection.server ? "check --server, --ca and that brink-control listens there"
                            : "start brink-control, or name its socket with --socket"};
}

constexpr std::size_t kPartSize = 256 * 1024;

template <typename Stream>
error_code write_request(Stream& stream, const Request& request, const Sent& sent) {
  error_code error;
  http::request_serializer<http::string_body> serializer(request);
  serializer.limit(kPartSize);
  std::uint64_t bytes = 0;
  while (!error && !serializer.is_done()) {
    bytes += http::write_some(stream, serializer, error);
    if (sent) sent(bytes);
  }
  return error;
}

template <typename Stream>
base::Result<Answer> exchange(Stream& stream, const Connection& connection, const Request& request,
                              const Sent& sent) {
  error_code error = write_request(stream, request, sent);
  // A server that refuses a body early closes its side; its answer is still to be read.
  if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
    return fault(connection, "the request cannot be sent", error);
  }
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  http::read(stream, buffer, parser, error);
  if (error) return fault(connection, "no answer came", error);
  return parser.release();
}

base::Result<Answer> over_socket(asio::io_context& context, const Connection& connection,
                                 const Request& request, const Sent& sent) {
  asio::local::stream_protocol::socket socket(context);
  error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(connection.socket_path), error);
  if (error) return fault(connection, "brink-control cannot be reached", error);
  return exchange(socket, connection, request, sent);
}

base::Result<void> connect(asio::io_context& context, const Connection& connection,
                           asio::ip::tcp::socket& socket) {
  error_code error;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(connection.server->host, connection.server->port, error);
  if (!error) asio::connect(socket, found, error);
  if (error) return fault(connection, "brink-control cannot be reached", error);
  return {};
}

base::Result<Answer> over_tcp(asio::io_context& context, const Connection& connection,
                              const Request& request, const Sent& sent) {
  asio::ip::tcp::socket socket(context);
  if (auto connected = connect(context, connection, socket); !connected) return connected.error();
  return exchange(socket, connection, request, sent);
}

// The certificate must be for the host, and from somebody who is trusted.
base::Result<Answer> over_tls(asio::io_context& context, const Connection& connection,
                              const Request& request, const Sent& sent) {
  error_code error;
  ssl::context tls(ssl::context::tls_client);
  tls.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                  ssl::context::no_tlsv1_1);
  if (connection.ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.load_verify_file(connection.ca_file, error);
  }
  if (error) {
    return base::Error{"the trusted certificates cannot be read: " + error.message(),
                       connection.ca_file, "name a PEM file with --ca"};
  }
  const std::string& host = connection.server->host;
  ssl::stream<asio::ip::tcp::socket> stream(context, tls);
  stream.set_verify_mode(ssl::verify_peer, error);
  stream.set_verify_callback(ssl::host_name_verification(host), error);
  asio::ip::make_address(host, error);
  const bool is_name = bool(error);
  // RFC 6066 3: names only.
  if (is_name) SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  if (auto connected = connect(context, connection, stream.next_layer()); !connected) {
    return connected.error();
  }
  stream.handshake(ssl::stream_base::client, error);
  if (error) return fault(connection, "no TLS with this server", error);
  return exchange(stream, connection, request, sent);
}

base::Result<Answer> send(const Connection& connection, const Request& request, const Sent& sent) {
  asio::io_context context;
  if (!connection.server) return over_socket(context, connection, request, sent);
  return connection.server->tls ? over_tls(context, connection, request, sent)
                                : over_tcp(context, connection, request, sent);
}

}  // namespace

base::Result<Server> parse_server(const std::string& url) {
  const auto bad = [&](const std::string& what) {
    return base::Error{what, url, "write https://HOST:PORT"};
  };
  Server server;
  std::string rest = url;
  server.tls = rest.starts_with("https://");
  if (!server.tls && !rest.starts_with("http://")) return bad("not a server's URL");
  rest = rest.substr(server.tls ? 8 : 7);
  if (rest.ends_with('/')) rest.pop_back();
  const std::size_t bracket = rest.find(']'), colon = rest.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  server.host = rest.substr(0, has_port ? colon : rest.size());
  server.port = has_port ? rest.substr(colon + 1) : server.tls ? "443" : "80";
  if (server.host.starts_with('[') && server.host.ends_with(']')) {
    server.host = server.host.substr(1, server.host.size() - 2);
  }
  if (server.host.empty() || server.port.empty() ||
      server.host.find_first_of("/@?# ") != std::string::npos ||
      server.port.find_first_not_of("0123456789") != std::string::npos) {
    return bad("not a server's URL");
  }
  error_code error;
  const auto address = asio::ip::make_address(server.host, error);
  const bool is_local = server.host == "localhost" || (!error && address.is_loopback());
  if (!server.tls && !is_local) return bad("without TLS the token could be read on its way");
  return server;
}

base::Result<std::string> read_token_file(const std::string& path) {
  struct stat status {};
  std::ifstream file(path);
  std::string token;
  if (::stat(path.c_str(), &status) != 0 || !std::getline(file, token) || token.empty()) {
    return base::Error{"no token can be read", path, "write it into the file's first line"};
  }
  if ((status.st_mode & 077) != 0) {
    return base::Error{"others can read the token", path, "chmod 600 " + path};
  }
  if (token.ends_with('\r')) token.pop_back();
  return token;
}

std::string Connection::name() const {
  if (!server) return socket_path;
  return (server->tls ? "https://" : "http://") + server->host + ":" + server->port;
}

base::Result<Response> Client::call(const std::string& method, const std::string& target,
                                    std::string body, const std::string& content_type,
                                    const Sent& sent) const {
  Request request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, connection_.server ? connection_.server->host : "brink");
  request.set(http::field::connection, "close");
  if (connection_.server && !connection_.token.empty()) {
    request.set(http::field::authorization, "Bearer " + connection_.token);
  }
  if (!body.empty()) request.set(http::field::content_type, content_type);
  request.body() = std::move(body);
  request.prepare_payload();

  auto answer = send(connection_, request, sent);
  if (!answer) return answer.error();
  Answer& message = answer.value();
  Response response;
  response.status = static_cast<int>(message.result_int());
  if (message.result() == http::status::no_content) {
    response.envelope = {{"result", nullptr}, {"success", true}};
    return response;
  }
  if (message[http::field::content_type] != "application/json") {
    response.text = std::move(message.body());
    return response;
  }
  response.envelope = Json::parse(message.body(), nullptr, false);
  if (response.envelope.is_object()) return response;
  return base::Error{"what answers is not brink-control", connection_.name(),
                     "check --socket or --server"};
}

std::string percent_encode(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace brink::ctl::cli
