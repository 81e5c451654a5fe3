#include "ctl/api/tls_context.h"

#include <sys/stat.h>

namespace brink::ctl::api {

namespace ssl = boost::asio::ssl;

namespace {

base::Error fault(const std::string& path, const std::string& what, const std::string& remedy) {
  return {"the API's TLS cannot be set up: " + what, path, remedy};
}

}  // namespace

base::Result<std::shared_ptr<ssl::context>> load_tls_context(const TlsOptions& options) {
  struct stat status {};
  if (::stat(options.key.c_str(), &status) == 0 && (status.st_mode & 007) != 0) {
    return fault(options.key, "everybody can read the key", "chmod 640 " + options.key);
  }
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  auto flags = ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
               ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression;
  if (options.version_min == TlsVersion::k13) flags |= ssl::context::no_tlsv1_2;
  context->set_options(flags, error);
  if (error) return fault(options.certificate, error.message(), "");
  context->use_certificate_chain_file(options.certificate, error);
  if (error) {
    return fault(options.certificate, error.message(),
                 "name a PEM file with the certificate and its issuers");
  }
  context->use_private_key_file(options.key, ssl::context::pem, error);
  if (error) {
    return fault(options.key, error.message(), "name the PEM file with the certificate's key");
  }
  return context;
}

}  // namespace brink::ctl::api
