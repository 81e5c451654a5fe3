// Which certificate DNS over TLS shows: that of an operator's files, or one of the image. Files are
// read at the start and whenever the edge reads its files again. Cold.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/edge/published.h"
#include "dataplane/tls/server.h"
#include "l7/credentials/credentials.h"

namespace brink::edge {

// tls.dot-certificate and tls.dot-key: both or neither.
struct DotFiles {
  std::string certificate;
  std::string key;
};

// A certificate with its chain and key, as TLS takes it; wiped when it goes.
class DotCertificate {
 public:
  // An Error names the file, never what stands there.
  static base::Result<std::unique_ptr<const DotCertificate>> read(const DotFiles& files);
  ~DotCertificate();
  DotCertificate(const DotCertificate&) = delete;
  DotCertificate& operator=(const DotCertificate&) = delete;

  [[nodiscard]] const tls::HostSettings& settings() const { return settings_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  DotCertificate() = default;

  std::vector<std::uint8_t> chain_, key_;
  std::vector<std::string> names_;
  tls::CertificateBytes bytes_;
  tls::HostSettings settings_;
};

using DotCertificateStore = Published<DotCertificate>;

// Of one worker, its thread only: the certificate of the files for its own names and where the
// image has none for a name; the image's for others. Without files the host's is shown where the
// client names none, or one that the image has none for (RFC 8310 8.1: the client judges).
class DotCertificates final : public tls::CertificateSource {
 public:
  // All outlive it. `host` empty: such clients are refused.
  DotCertificates(l7::credentials::Credentials& image,
                  const std::atomic<const DotCertificate*>& file, std::string host)
      : image_(image), file_(file), host_(std::move(host)) {}

  const tls::HostSettings* find(std::string_view name, std::uint64_t user) noexcept override;

 private:
  l7::credentials::Credentials& image_;
  const std::atomic<const DotCertificate*>& file_;
  const std::string host_;
};

}  // namespace brink::edge
