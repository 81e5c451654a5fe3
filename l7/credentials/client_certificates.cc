#include "l7/credentials/client_certificates.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <utility>

#include "l7/route/certificate_lookup.h"

namespace brink::l7::credentials {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void add_base64(std::span<const std::uint8_t> octets, std::string& out) {
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    const std::size_t size = std::min<std::size_t>(octets.size() - at, 3);
    std::uint32_t bits = std::uint32_t{octets[at]} << 16;
    if (size > 1) bits |= std::uint32_t{octets[at + 1]} << 8;
    if (size > 2) bits |= octets[at + 2];
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(i <= size ? kDigits[bits >> (18 - 6 * i) & 63] : '=');
    }
  }
}

std::uint8_t value_of(char digit) noexcept {
  return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

// Of lower-case hexadecimal.
std::vector<std::uint8_t> octets_of(std::string_view hex) {
  std::vector<std::uint8_t> octets;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    octets.push_back(static_cast<std::uint8_t>(value_of(hex[at]) << 4 | value_of(hex[at + 1])));
  }
  return octets;
}

// RFC 9440 2.3: a list of byte sequences.
std::string rfc9440_list(const std::vector<std::vector<std::uint8_t>>& chain) {
  std::string list;
  for (const auto& der : chain) list += (list.empty() ? "" : ", ") + rfc9440_item(der);
  return list;
}

// Empties a text that is too long; true: it was.
bool drop_longer(std::string& text, std::size_t most) {
  if (text.size() <= most) return false;
  text = {};
  return true;
}

// Authorities of the host whose certificates have that name. Where its octets stand for something
// else, one serial more is looked up for each request.
std::vector<route::EntryId> issuers_of(const snapshot::View& view, std::string_view host_name,
                                       std::span<const std::uint8_t> name) {
  std::vector<route::EntryId> issuers;
  const auto table = route::find_zone_table(view, host_name);
  const auto host = route::find_host(view, host_name);
  if (!table || !host || name.empty()) return issuers;
  for (const route::EntryId& id : host->authorities) {
    const auto authority = table->authority(id);
    if (!authority) continue;
    const auto der = authority->der;
    const auto at = std::search(der.begin(), der.end(), name.begin(), name.end());
    if (at != der.end()) issuers.push_back(id);
  }
  return issuers;
}

}  // namespace

std::string certificate_time(std::int64_t unix_s) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_s;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "";
  char text[64];
  std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d %d GMT", kMonths[parts.tm_mon],
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_year + 1900);
  return text;
}

std::string rfc9440_item(std::span<const std::uint8_t> der) {
  std::string item = ":";
  item.reserve((der.size() + 2) / 3 * 4 + 2);
  add_base64(der, item);
  item.push_back(':');
  return item;
}

std::unique_ptr<ClientCertificates::Record> ClientCertificates::make_record(
    tls::PeerCertificate shown) {
  auto record = std::make_unique<Record>();
  rewrite::ClientCertificate& facts = record->facts;
  record->rfc9440 = rfc9440_item(shown.der);
  record->chain_rfc9440 = rfc9440_list(shown.chain);
  facts.is_rfc9440_too_large = drop_longer(record->rfc9440, kRfc9440Max);
  facts.is_chain_rfc9440_too_large = drop_longer(record->chain_rfc9440, kChainRfc9440Max);
  record->not_before = certificate_time(shown.not_before);
  record->not_after = certificate_time(shown.not_after);
  record->serial = octets_of(shown.serial);
  shown.der = {};
  shown.chain = {};
  record->shown = std::move(shown);
  const tls::PeerCertificate& kept = record->shown;
  facts.is_presented = true;
  facts.sha1 = kept.sha1;
  facts.sha256 = kept.sha256;
  facts.subject_dn = kept.subject;
  facts.issuer_dn = kept.issuer;
  facts.serial = kept.serial;
  facts.issuer_serial = kept.issuer_serial;
  facts.key_id = kept.key_id;
  facts.issuer_key_id = kept.issuer_key_id;
  facts.not_before = record->not_before;
  facts.not_after = record->not_after;
  facts.rfc9440 = record->rfc9440;
  facts.chain_rfc9440 = record->chain_rfc9440;
  return record;
}

bool ClientCertificates::read(std::uint32_t number, const tls::Stream& stream,
                              const snapshot::View& view) noexcept {
  forget(number);
  try {
    auto shown = stream.peer_certificate();
    if (!shown) return true;
    auto record = make_record(*std::move(shown));
    const tls::ConnectionInfo info = stream.info();
    record->was_good = info.verification == tls::Verification::kGood;
    record->issuers = issuers_of(view, info.server_name, record->shown.issuer_name);
    if (records_.size() <= number) records_.resize(number + 1);
    records_[number] = std::move(record);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void ClientCertificates::forget(std::uint32_t number) noexcept {
  if (number < records_.size()) records_[number].reset();
}

const rewrite::ClientCertificate* ClientCertificates::find(std::uint32_t number,
                                                           const route::ZoneTable& table,
                                                           std::int64_t unix_s) noexcept {
  if (number >= records_.size() || records_[number] == nullptr) return nullptr;
  Record& record = *records_[number];
  record.facts.is_verified = record.was_good && unix_s <= record.shown.not_after;
  record.facts.is_revoked =
      std::any_of(record.issuers.begin(), record.issuers.end(),
                  [&](const route::EntryId& id) { return table.is_revoked(id, record.serial); });
  return &record.facts;
}

}  // namespace brink::l7::credentials
