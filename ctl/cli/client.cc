#include "ctl/cli/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace brink::ctl::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;

base::Result<Response> Client::call(const std::string& method, const std::string& target,
                                    const std::string& body,
                                    const std::string& content_type) const {
  const auto fail = [&](const std::string& what, const boost::system::error_code& error) {
    return base::Error{what + ": " + error.message(), socket_path_,
                       "start brink-control, or name its socket with --socket"};
  };
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  boost::system::error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(socket_path_), error);
  if (error) return fail("brink-control cannot be reached", error);

  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, "brink");
  request.set(http::field::connection, "close");
  if (!body.empty()) request.set(http::field::content_type, content_type);
  request.body() = body;
  request.prepare_payload();
  http::write(socket, request, error);
  // A server that refuses a body early closes its side; its answer is still to be read.
  if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
    return fail("the request cannot be sent", error);
  }

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  http::read(socket, buffer, parser, error);
  if (error) return fail("no answer came", error);
  auto message = parser.release();
  Response response;
  response.status = static_cast<int>(message.result_int());
  if (message[http::field::content_type] != "application/json") {
    response.text = std::move(message.body());
    return response;
  }
  response.envelope = Json::parse(message.body(), nullptr, false);
  if (response.envelope.is_object()) return response;
  return base::Error{"what answers is not brink-control", socket_path_, "check --socket"};
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
