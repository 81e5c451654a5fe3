// The TLS side of the API's listener: certificate, key and versions as OpenSSL has them.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "dataplane/base/result.h"

namespace brink::ctl::api {

enum class TlsVersion : std::uint8_t { k12, k13 };

struct TlsOptions {
  std::string certificate;  // PEM file: the certificate, then its issuers; empty = no TLS
  std::string key;          // PEM file; must not be open to everybody
  TlsVersion version_min = TlsVersion::k12;
};

// Reads both files. Sessions share the context that they began with.
base::Result<std::shared_ptr<boost::asio::ssl::context>> load_tls_context(
    const TlsOptions& options);

}  // namespace brink::ctl::api
