// The server over real sockets: what it takes from a connection, and TLS.
#include "ctl/api/server.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <mutex>

namespace brink::ctl::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using TlsClient = asio::ssl::stream<Tcp::socket>;

// A self-signed certificate with this name, valid for a day, and its key.
void write_certificate(const std::string& certificate_path, const std::string& key_path,
                       const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  ::chmod(key_path.c_str(), 0600);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    char pattern[] = "/tmp/brink_server_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    options_.socket_path = folder_ + "/s";
    options_.listen = "127.0.0.1:" + std::to_string(free_port());
  }
  ~ServerTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::uint16_t free_port() {
    Tcp::acceptor probe(context_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return port_ = probe.local_endpoint().port();
  }
  void use_tls(const std::string& name) {
    options_.tls.certificate = folder_ + "/c.pem";
    options_.tls.key = folder_ + "/k.pem";
    write_certificate(options_.tls.certificate, options_.tls.key, name);
  }
  // Who says so is let in; the others have a path of their own.
  std::string start() {
    const auto admit = [](const Request& head, const Dispatcher::TurnAway& respond) {
      EXPECT_TRUE(head.body.empty());
      if (head.credentials.authorization.front() == "Bearer a") return respond(std::nullopt);
      respond(Answer{403, "text/plain", {}, "not you"});
    };
    const auto handler = [this](Request request, Dispatcher::Respond respond) {
      const std::lock_guard lock(mutex_);
      last_ = request;
      respond({200, "text/plain", {{"x-seen", "yes"}}, request.path});
    };
    auto started =
        asks_ ? Server::start(options_, handler, admit) : Server::start(options_, handler);
    if (!started) return started.error().message();
    server_ = std::move(started).value();
    return "started";
  }
  Request last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  Tcp::socket connect() {
    Tcp::socket socket(context_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }
  std::unique_ptr<TlsClient> connect_tls() {
    auto stream = std::make_unique<TlsClient>(connect(), trusting_);
    stream->handshake(asio::ssl::stream_base::client);
    return stream;
  }
  static std::string name_of(TlsClient& stream) {
    X509* certificate = SSL_get1_peer_certificate(stream.native_handle());
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    X509_free(certificate);
    return name;
  }
  template <typename Stream>
  http::response<http::string_body> get(Stream& stream,
                                        http::request<http::string_body> request = {}) {
    if (request.target().empty()) request.target("/x");
    if (request.method() == http::verb::unknown) request.method(http::verb::get);
    request.version(11);
    request.set(http::field::host, "test");
    request.prepare_payload();
    http::write(stream, request);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(stream, buffer, response);
    return response;
  }

  std::string folder_;
  asio::io_context context_;
  asio::ssl::context trusting_{asio::ssl::context::tls_client};
  std::uint16_t port_ = 0;
  bool asks_ = true;  // whether large bodies may come
  ServerOptions options_;
  std::mutex mutex_;
  Request last_;  // guarded by mutex_
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, TellsWhoTheOtherEndIs) {
  ASSERT_EQ(start(), "started");
  asio::local::stream_protocol::socket local(context_);
  local.connect(asio::local::stream_protocol::endpoint(options_.socket_path));
  EXPECT_EQ(get(local)["x-seen"], "yes");
  EXPECT_TRUE(last().trusted);
  EXPECT_EQ(last().uid, ::getuid());

  auto socket = connect();
  http::request<http::string_body> request;
  request.insert("Authorization", "Bearer a");
  request.insert("authorization", "Bearer b");
  request.insert("x-auth-email", "a@b");
  request.insert("X-Auth-Key", "k");
  get(socket, request);
  EXPECT_FALSE(last().trusted);
  EXPECT_EQ(last().peer, *base::IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(last().credentials.authorization, (std::vector<std::string>{"Bearer a", "Bearer b"}));
  EXPECT_EQ(last().credentials.email, (std::vector<std::string>{"a@b"}));
  EXPECT_EQ(last().credentials.key, (std::vector<std::string>{"k"}));
}

TEST_F(ServerTest, TakesNoLargeBodyFromNobody) {
  ASSERT_EQ(start(), "started");
  http::request<http::string_body> request;
  request.method(http::verb::post);
  request.body() = std::string(100'000, 'x');
  auto socket = connect();
  EXPECT_EQ(get(socket, request).result_int(), 413U);
  request.set(http::field::authorization, "Bearer a");
  auto another = connect();
  EXPECT_EQ(get(another, request).result_int(), 200U);
  EXPECT_EQ(last().body.size(), 100'000U);
}

TEST_F(ServerTest, AsksBeforeItReadsALargeBody) {
  ASSERT_EQ(start(), "started");
  for (const char* length : {"Content-Length: 8000000", "Transfer-Encoding: chunked"}) {
    auto socket = connect();
    const std::string head =
        std::string("POST /x HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer b\r\n") + length +
        "\r\n\r\n";
    asio::write(socket, asio::buffer(head));
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    EXPECT_EQ(response.result_int(), 403U) << length;
    EXPECT_FALSE(response.keep_alive()) << "the body is still to come";
    EXPECT_TRUE(last().path.empty()) << "no handler has seen it";
  }
  http::request<http::string_body> small;
  small.set(http::field::authorization, "Bearer b");
  small.method(http::verb::post);
  small.body() = "x";
  auto socket = connect();
  EXPECT_EQ(get(socket, small).result_int(), 200U) << "its handler says what is wrong";
}

TEST_F(ServerTest, TakesNoLargeBodyWhenThereIsNobodyToAsk) {
  asks_ = false;
  ASSERT_EQ(start(), "started");
  http::request<http::string_body> request;
  request.set(http::field::authorization, "Bearer a");
  request.method(http::verb::post);
  request.body() = std::string(100'000, 'x');
  auto socket = connect();
  EXPECT_EQ(get(socket, request).result_int(), 413U);
  request.chunked(true);
  auto another = connect();
  EXPECT_EQ(get(another, request).result_int(), 413U);
}

TEST_F(ServerTest, SpeaksTls) {
  use_tls("first.test");
  ASSERT_EQ(start(), "started");
  const auto stream = connect_tls();
  EXPECT_EQ(get(*stream).body(), "/x");
  EXPECT_EQ(get(*stream).body(), "/x") << "a second request of the connection";
  EXPECT_STREQ(SSL_get_version(stream->native_handle()), "TLSv1.3");
}

TEST_F(ServerTest, RefusesOldVersions) {
  use_tls("first.test");
  options_.tls.version_min = TlsVersion::k13;
  ASSERT_EQ(start(), "started");
  SSL_CTX_set_max_proto_version(trusting_.native_handle(), TLS1_2_VERSION);
  EXPECT_THROW(connect_tls(), boost::system::system_error);
}

TEST_F(ServerTest, PlainHttpOnATlsPortGetsNoAnswer) {
  use_tls("first.test");
  ASSERT_EQ(start(), "started");
  auto socket = connect();
  EXPECT_THROW(get(socket), boost::system::system_error);
  EXPECT_EQ(get(*connect_tls()).body(), "/x") << "others are served";
}

TEST_F(ServerTest, WhoDoesNotShakeHandsHoldsNobodyUpAndIsLetGo) {
  use_tls("first.test");
  options_.handshake_timeout = std::chrono::seconds(1);
  ASSERT_EQ(start(), "started");
  std::vector<Tcp::socket> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(connect());
  EXPECT_EQ(get(*connect_tls()).body(), "/x");
  for (Tcp::socket& socket : silent) {
    char octet;
    boost::system::error_code error;
    socket.read_some(asio::buffer(&octet, 1), error);
    EXPECT_TRUE(error) << "it waits for ever otherwise";
  }
}

TEST_F(ServerTest, ANewCertificateIsForNewConnections) {
  use_tls("first.test");
  ASSERT_EQ(start(), "started");
  const auto old = connect_tls();
  EXPECT_EQ(get(*old).body(), "/x");
  write_certificate(options_.tls.certificate, options_.tls.key, "second.test");
  ASSERT_TRUE(server_->reload_tls().ok());
  EXPECT_EQ(name_of(*connect_tls()), "second.test");
  EXPECT_EQ(get(*old).body(), "/x");
  EXPECT_EQ(name_of(*old), "first.test");
  std::filesystem::remove(options_.tls.key);
  EXPECT_FALSE(server_->reload_tls().ok());
  EXPECT_EQ(name_of(*connect_tls()), "second.test");
}

TEST_F(ServerTest, RefusesFilesThatDoNotFit) {
  use_tls("first.test");
  const std::string other = folder_ + "/other.pem";
  write_certificate(folder_ + "/unused.pem", other, "other.test");
  options_.tls.key = other;
  EXPECT_NE(start().find(other), std::string::npos);
  options_.tls.key = folder_ + "/k.pem";
  ::chmod(options_.tls.key.c_str(), 0644);
  EXPECT_NE(start().find("everybody can read the key"), std::string::npos);
  options_.tls.certificate = folder_ + "/absent.pem";
  ::chmod(options_.tls.key.c_str(), 0600);
  EXPECT_NE(start().find("absent.pem"), std::string::npos);
}

TEST_F(ServerTest, SpeaksPlainHttpOnLoopbackOnly) {
  options_.listen = "0.0.0.0:" + std::to_string(port_);
  EXPECT_NE(start().find("api-certificate"), std::string::npos);
  options_.plain_anywhere = true;
  EXPECT_EQ(start(), "started");
}

TEST_F(ServerTest, ACrowdOnTcpLeavesTheSocketAlone) {
  options_.connections_max = 3;
  ASSERT_EQ(start(), "started");
  std::vector<Tcp::socket> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.push_back(connect());
    get(crowd.back());
  }
  auto socket = connect();
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response);
  EXPECT_EQ(response.result_int(), 503U);
  asio::local::stream_protocol::socket local(context_);
  local.connect(asio::local::stream_protocol::endpoint(options_.socket_path));
  EXPECT_EQ(get(local).result_int(), 200U);
}

}  // namespace
}  // namespace brink::ctl::api
