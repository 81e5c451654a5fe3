// Credentials: what TLS of one worker shows to clients and origins and whom it trusts, read from
// the snapshot when a handshake asks. Private keys lie in the snapshot sealed and are opened here,
// when a host's context is made and at no other time; what was opened is wiped when the worker's
// turn ends.
//
// One instance a worker, its thread only. Cold: it is asked once a handshake, and allocates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/tls/engine.h"
#include "l7/credentials/client_certificates.h"
#include "l7/credentials/private_keys.h"
#include "l7/route/certificate_lookup.h"

namespace brink::l7::credentials {

// What an origin is asked for.
struct OriginRequest {
  std::string_view host;     // that the client asked for: SNI, and a name that the origin may have
  std::string_view target;   // another name that it may have, where the record points to one
  std::uint64_t origin = 0;  // names the address; sessions are used again where it is equal
  bool http2 = false;        // is offered
};

// What clients are offered under the certificates.
enum class Service : std::uint8_t {
  kHttp1,
  kHttp2,  // beside HTTP/1.1, where the zone has it
  kDot,    // DNS over TLS; no client is asked for a certificate
};

// The certificate of the operator, which origins are shown where a zone wants it and has none of
// its own.
struct OperatorIdentity {
  std::vector<std::uint8_t> chain;  // DER, one behind the other, leaf first; empty: there is none
  std::vector<std::uint8_t> private_key;  // PKCS #8, DER
};

class Credentials final : public tls::CertificateSource {
 public:
  // All outlive it. `own`: null: there is none.
  Credentials(tls::Engine& engine, PrivateKeys& keys, ipc::WorkerCounters& counters,
              Service service = Service::kHttp1, const OperatorIdentity* own = nullptr) noexcept
      : engine_(engine),
        private_keys_(keys),
        counters_(counters),
        service_(service),
        operator_(own) {}

  // A turn of the worker: what is asked between them reads this view.
  void begin(const snapshot::View& view, std::int64_t unix_s) noexcept;
  void end() noexcept;

  // tls::CertificateSource; `user` does not matter.
  const tls::HostSettings* find(std::string_view name, std::uint64_t user) noexcept override;

  // How the origin of a host is to be spoken to under TLS; what it points to stays until end() or
  // the next call. `settings` are those of the host's zone.
  const tls::OriginSettings& origin(const route::ZoneTable& table,
                                    const route::SettingsLayout& settings,
                                    const OriginRequest& request) noexcept;

  // What clients have shown.
  ClientCertificates& clients() noexcept { return clients_; }

 private:
  void offer(const route::TlsHost& host) noexcept;
  bool fill_certificates(const route::TlsHost& host);
  void fill_authorities(const route::TlsHost& host);
  void fill_identity(const route::ZoneTable& table, std::string_view host);
  void wipe() noexcept;

  tls::Engine& engine_;
  PrivateKeys& private_keys_;
  ipc::WorkerCounters& counters_;
  Service service_;
  const OperatorIdentity* operator_;
  ClientCertificates clients_;
  const snapshot::View* view_ = nullptr;
  std::int64_t unix_s_ = 0;

  // What was answered last.
  route::TlsHost host_;
  tls::HostSettings settings_;
  std::array<tls::CertificateBytes, route::kShownMax> certificates_;
  std::array<std::optional<PrivateKey>, route::kShownMax> keys_;
  std::vector<std::uint8_t> authorities_;
  tls::OriginSettings origin_;
  std::array<std::string_view, 2> accepted_names_;
  std::optional<PrivateKey> identity_key_;
};

}  // namespace brink::l7::credentials
