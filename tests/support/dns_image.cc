#include "tests/support/dns_image.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "dataplane/snapshot/builder.h"
#include "dns/render/render.h"
#include "dns/zone/text.h"
#include "dns/zone/zone.h"
#include "dns/zone/zone_file.h"

namespace brink::test {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "test set-up failed: %s\n", why.c_str());
  std::abort();
}

std::string take_text(char* text) {
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return owned ? owned.get() : "";
}

std::string record_line(const char* section, const ldns_rr* rr) {
  std::string line = std::string(section) + " " + take_text(ldns_rr2str(rr));
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::replace(line.begin(), line.end(), '\t', ' ');
  line.erase(
      std::unique(line.begin(), line.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
      line.end());
  return line + "\n";
}

std::string section_text(const char* name, const ldns_rr_list* list) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    text += record_line(name, ldns_rr_list_rr(list, i));
  }
  return text;
}

// Between a zone's renderer and the builder: what a deeper zone owns is left to it, but for the DS
// set of its delegation. Parents come first.
class NestedZones : public snapshot::ChangeSink {
 public:
  NestedZones(snapshot::Builder& builder, std::vector<dns::zone::Wire> apexes)
      : builder_(builder), apexes_(std::move(apexes)) {}

  base::Result<void> put_zone(Name apex, const snapshot::ZoneContents& contents) override {
    zone_ = dns::zone::Wire(apex.begin(), apex.end());
    return builder_.put_zone(apex, contents);
  }
  base::Result<void> put_name(Name name, const snapshot::NameContents& contents) override {
    const dns::zone::Wire owner(name.begin(), name.end());
    for (const auto& apex : apexes_) {
      if (apex.size() <= zone_.size() || !dns::zone::is_at_or_below(owner, apex)) continue;
      if (owner == apex && contents.cut) {
        delegations_[apex].assign(contents.rrsets.begin(), contents.rrsets.end());
      }
      return {};
    }
    const auto delegation = delegations_.find(owner);
    if (owner != zone_ || delegation == delegations_.end()) {
      return builder_.put_name(name, contents);
    }
    std::vector<snapshot::Rrset> sets(contents.rrsets.begin(), contents.rrsets.end());
    for (const auto& set : delegation->second) {
      if (set.type == dns::zone::kTypeDs) sets.push_back(set);
    }
    return builder_.put_name(name, {sets, contents.route, false, true});
  }
  base::Result<void> use_zone(Name apex) override { return builder_.use_zone(apex); }
  base::Result<void> drop_zone(Name apex) override { return builder_.drop_zone(apex); }
  base::Result<void> drop_name(Name name) override { return builder_.drop_name(name); }
  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override {
    return builder_.put_denial(owner, blob);
  }
  base::Result<void> drop_denial(Name owner) override { return builder_.drop_denial(owner); }
  base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) override {
    return builder_.put_value(key, value);
  }
  base::Result<void> drop_value(Key key) override { return builder_.drop_value(key); }
  base::Result<void> clear_values(Key prefix) override { return builder_.clear_values(prefix); }

 private:
  snapshot::Builder& builder_;
  std::vector<dns::zone::Wire> apexes_;
  dns::zone::Wire zone_;
  std::map<dns::zone::Wire, std::vector<snapshot::Rrset>> delegations_;
};

}  // namespace

snapshot::Image image_of_zones(const std::vector<std::pair<std::string, std::string>>& zones) {
  base::HashKey key;
  for (std::size_t i = 0; i < sizeof key.bytes; ++i)
    key.bytes[i] = static_cast<std::uint8_t>(i * 7);
  snapshot::Builder builder(key);
  std::vector<dns::zone::Wire> apexes;
  for (const auto& [apex_text, text] : zones) {
    apexes.push_back(dns::zone::name_from_text(apex_text).value());
  }
  NestedZones sink(builder, apexes);
  for (const auto& [apex_text, text] : zones) {
    const auto apex = dns::zone::name_from_text(apex_text);
    if (!apex) give_up(apex.error().message());
    std::vector<dns::zone::ResourceRecord> records;
    const auto parsed = dns::zone::parse_zone_file(text, apex.value(), 300,
                                                   [&records](const dns::zone::ZoneFileRecord& r) {
                                                     records.push_back(r.record);
                                                     return base::Result<void>{};
                                                   });
    if (!parsed) give_up(parsed.error().message());
    const auto zone = dns::zone::Zone::build(apex.value(), records);
    if (!zone) give_up(zone.error().message());
    const auto rendered = dns::render::render_zone(
        sink, zone.value(), [](const dns::zone::Wire&) { return std::vector<std::uint8_t>{}; });
    if (!rendered) give_up(rendered.error().message());
  }
  auto image = builder.finish(1, 0);
  if (!image) give_up(image.error().message());
  return std::move(image).value();
}

std::string sign_zone(std::string_view apex_text, const std::string& text, Chain chain) {
  ldns_rdf* apex = ldns_dname_new_frm_str(std::string(apex_text).c_str());
  const std::string origin = "$ORIGIN " + std::string(apex_text) + "\n" + text;
  FILE* file = fmemopen(const_cast<char*>(origin.data()), origin.size(), "r");
  ldns_zone* zone = nullptr;
  if (ldns_zone_new_frm_fp(&zone, file, apex, 300, LDNS_RR_CLASS_IN) != LDNS_STATUS_OK) {
    give_up("a zone to be signed does not parse");
  }
  std::fclose(file);
  ldns_dnssec_zone* dnssec = ldns_dnssec_zone_new();
  ldns_dnssec_zone_add_rr(dnssec, ldns_zone_soa(zone));
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(ldns_zone_rrs(zone)); ++i) {
    ldns_dnssec_zone_add_rr(dnssec, ldns_rr_list_rr(ldns_zone_rrs(zone), i));
  }
  ldns_key* key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
  ldns_key_set_pubkey_owner(key, ldns_rdf_clone(apex));
  ldns_key_set_flags(key, 257);
  ldns_rr* dnskey = ldns_key2rr(key);
  ldns_key_set_keytag(key, ldns_calc_keytag(dnskey));
  ldns_dnssec_zone_add_rr(dnssec, dnskey);
  ldns_key_list* keys = ldns_key_list_new();
  ldns_key_list_push_key(keys, key);
  ldns_rr_list* made = ldns_rr_list_new();
  const auto keep = [](ldns_rr*, void*) { return static_cast<int>(LDNS_SIGNATURE_LEAVE_ADD_NEW); };
  // As RFC 9276 3.1 wants it, or as it was before that.
  const bool old = chain == Chain::kNsec3OptOut;
  std::uint8_t salt[] = {0xab, 0xcd};
  const ldns_status status =
      chain == Chain::kNsec
          ? ldns_dnssec_zone_sign(dnssec, made, keys, keep, nullptr)
          : ldns_dnssec_zone_sign_nsec3(dnssec, made, keys, keep, nullptr, 1, old ? 1 : 0,
                                        old ? 2 : 0, old ? sizeof salt : 0, salt);
  if (status != LDNS_STATUS_OK) give_up(ldns_get_errorstr_by_id(status));
  char* printed = nullptr;
  std::size_t size = 0;
  FILE* out = open_memstream(&printed, &size);
  ldns_dnssec_zone_print(out, dnssec);
  std::fclose(out);
  std::string result = take_text(printed);
  ldns_rr_list_free(made);
  ldns_key_list_free(keys);
  ldns_dnssec_zone_deep_free(dnssec);  // with the records of `zone`
  ldns_zone_free(zone);
  ldns_rdf_deep_free(apex);
  return result;
}

std::vector<std::uint8_t> question(std::string_view name, std::uint16_t type,
                                   const QuestionOptions& options) {
  const auto wire = dns::zone::name_from_text(name);
  if (!wire) give_up(wire.error().message());
  std::vector<std::uint8_t> out;
  const auto u16 = [&out](unsigned v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
  };
  for (const unsigned v : {0x1234U, unsigned{options.flags}, 1U, 0U, 0U, options.edns ? 1U : 0U}) {
    u16(v);
  }
  out.insert(out.end(), wire.value().begin(), wire.value().end());
  u16(type);
  u16(options.klass);
  if (options.edns) {
    out.push_back(0);
    u16(41);
    u16(options.udp_size);
    u16(0);
    u16(options.dnssec_ok ? 0x8000 : 0);
    u16(0);
  }
  return out;
}

std::string response_text(const std::vector<std::uint8_t>& message) {
  ldns_pkt* raw = nullptr;
  const auto status = ldns_wire2pkt(&raw, message.data(), message.size());
  if (status != LDNS_STATUS_OK) return std::string("malformed: ") + ldns_get_errorstr_by_id(status);
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> packet(raw, &ldns_pkt_free);
  std::string text = take_text(ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet.get())));
  if (!ldns_pkt_qr(packet.get())) text += " not-a-response";
  if (ldns_pkt_aa(packet.get())) text += " aa";
  if (ldns_pkt_tc(packet.get())) text += " tc";
  if (ldns_pkt_rd(packet.get())) text += " rd";
  if (ldns_pkt_ra(packet.get())) text += " ra";
  if (ldns_pkt_ad(packet.get())) text += " ad";
  if (ldns_pkt_cd(packet.get())) text += " cd";
  text += "\n";
  text += section_text("an", ldns_pkt_answer(packet.get()));
  text += section_text("ns", ldns_pkt_authority(packet.get()));
  text += section_text("ar", ldns_pkt_additional(packet.get()));
  if (ldns_pkt_edns(packet.get())) {
    text += "opt size=" + std::to_string(ldns_pkt_edns_udp_size(packet.get()));
    if (ldns_pkt_edns_do(packet.get())) text += " do";
    if (const unsigned high = ldns_pkt_edns_extended_rcode(packet.get()); high != 0) {
      text += " extended-rcode=" + std::to_string(high);
    }
    text += "\n";
  }
  return text;
}

}  // namespace brink::test
