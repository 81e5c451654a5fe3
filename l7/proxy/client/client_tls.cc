#include "l7/proxy/client/client_tls.h"

#include <algorithm>

#include "l7/route/certificate_lookup.h"

namespace brink::l7::proxy {
namespace {

// Whether clients of two hosts are asked for certificates of the same authorities, or for none.
bool ask_the_same(const snapshot::View& view, std::string_view one,
                  std::string_view other) noexcept {
  const route::HostView a = route::find_host(view, one).value_or(route::HostView{});
  const route::HostView b = route::find_host(view, other).value_or(route::HostView{});
  return a.asks_client == b.asks_client && std::equal(a.authorities.begin(), a.authorities.end(),
                                                      b.authorities.begin(), b.authorities.end());
}

}  // namespace

bool ClientTls::is_https_port(std::uint16_t port) const noexcept {
  return std::find(turn_.config.https_ports.begin(), turn_.config.https_ports.end(), port) !=
         turn_.config.https_ports.end();
}

bool ClientTls::begin(std::uint32_t c) noexcept {
  const auto second =
      static_cast<std::uint32_t>(turn_.now.time_since_epoch() / std::chrono::seconds(1));
  if (turn_.config.handshakes != nullptr &&
      !turn_.config.handshakes->begin(clients_[c].address, second)) {
    turn_.counters.add(ipc::Counter::kTlsLimited);
    return false;
  }
  return turn_.config.credentials != nullptr &&
         turn_.transport.secure_accept(clients_[c].id, *turn_.config.credentials, c, turn_.now) ==
             tls::Failure::kNone;
}

void ClientTls::note_unfinished(const Client& client) noexcept {
  if (client.secure && !client.secured) turn_.counters.add(ipc::Counter::kTlsFailed);
}

bool ClientTls::read_certificate(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  const tls::Stream& security = *turn_.transport.security(client.id);
  const tls::Verification verification = security.info().verification;
  client.has_certificate =
      verification != tls::Verification::kNotAsked && verification != tls::Verification::kAbsent;
  return !client.has_certificate ||
         turn_.config.credentials->clients().read(c, security, *turn_.view);
}

const rewrite::ClientCertificate* ClientTls::certificate_of(
    std::uint32_t c, const route::ZoneTable& table) noexcept {
  if (!clients_[c].has_certificate) return nullptr;
  return turn_.config.credentials->clients().find(c, table, turn_.unix_s());
}

const rewrite::ClientCertificate* ClientTls::forwarded_certificate(std::uint32_t c,
                                                                   std::string_view host) noexcept {
  if (!clients_[c].has_certificate) return nullptr;
  const auto settings = route::find_host(*turn_.view, host);
  const auto table = route::find_zone_table(*turn_.view, host);
  if (!table || !settings || !settings->forwards_certificate) return nullptr;
  // What did not lead to an authority of the host, has run out or is revoked is not passed on:
  // origins take the field for a proof.
  const auto* shown = certificate_of(c, *table);
  return shown != nullptr && shown->is_verified && !shown->is_revoked ? shown : nullptr;
}

void ClientTls::forget(std::uint32_t c) noexcept {
  if (clients_[c].has_certificate) turn_.config.credentials->clients().forget(c);
}

bool ClientTls::is_misdirected(std::uint32_t c, std::string_view host) noexcept {
  const tls::Stream* const security = turn_.transport.security(clients_[c].id);
  if (security == nullptr) return false;
  const std::string_view asked = security->info().server_name;
  if (asked.empty() || asked == host) return false;
  return !route::are_in_one_zone(*turn_.view, asked, host) ||
         !ask_the_same(*turn_.view, asked, host);
}

}  // namespace brink::l7::proxy
