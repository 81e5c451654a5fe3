// ClientCertificates: what rules ask of the certificates that clients of one worker have shown, as
// text, for as long as their connections live.
//
// One instance a worker, its thread only. read() allocates, once a connection that shows one (what
// the certificate takes, some KiB; dataplane/tls bounds the chain to 32 KiB); the rest does not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/snapshot/view.h"
#include "dataplane/tls/stream.h"
#include "l7/rewrite/facts.h"
#include "l7/route/zone_table.h"

namespace brink::l7::credentials {

// The form of `cert_not_before`: "Mar 21 13:35:00 2022 GMT", the day in two columns.
std::string certificate_time(std::int64_t unix_s);
// A byte sequence of RFC 9440 2.1: base64 between colons.
std::string rfc9440_item(std::span<const std::uint8_t> der);

// More characters than these are not given to rules, which are told that it is so.
inline constexpr std::size_t kRfc9440Max = 10 * 1024;
inline constexpr std::size_t kChainRfc9440Max = 16 * 1024;

class ClientCertificates {
 public:
  // When the handshake of a connection is done. Numbers of connections are dense, and used again
  // after forget(). False: there is no memory for what it has shown.
  bool read(std::uint32_t number, const tls::Stream& stream, const snapshot::View& view) noexcept;
  void forget(std::uint32_t number) noexcept;

  // What is true of the connection's certificate at that time, with the revocations of `table`;
  // stays until the next call with this number. Null: it has shown none.
  const rewrite::ClientCertificate* find(std::uint32_t number, const route::ZoneTable& table,
                                         std::int64_t unix_s) noexcept;

 private:
  struct Record {
    tls::PeerCertificate shown;  // without its octets
    std::string not_before, not_after;
    std::string rfc9440, chain_rfc9440;
    std::vector<std::uint8_t> serial;
    std::vector<route::EntryId> issuers;  // authorities that may have signed it
    bool was_good = false;                // in the handshake
    rewrite::ClientCertificate facts;
  };
  static std::unique_ptr<Record> make_record(tls::PeerCertificate shown);

  std::vector<std::unique_ptr<Record>> records_;  // by number
};

}  // namespace brink::l7::credentials
