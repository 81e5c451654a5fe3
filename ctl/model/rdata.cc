#include "ctl/model/rdata.h"
#include <ldns/ldns.h>
#include <cstdlib>
#include <memory>
// TEMP until dns/zone lands
namespace brink::ctl::model {
std::optional<RecordType> type_from_text(std::string_view text) {
  const auto t = ldns_get_rr_type_by_name(std::string(text).c_str());
  if (t == 0) return std::nullopt;
  return static_cast<RecordType>(t);
}
std::string type_to_text(RecordType type) {
  char* s = ldns_rr_type2str(static_cast<ldns_rr_type>(type));
  std::string r(s ? s : "");
  std::free(s);
  return r;
}
base::Result<Rdata> rdata_from_text(RecordType type, std::string_view text,
                                    const DomainName& origin) {
  ldns_rr* rr = nullptr;
  ldns_rdf* org = ldns_dname_new_frm_str((origin.text() + ".").c_str());
  const std::string line = ". 60 IN " + type_to_text(type) + " " + std::string(text);
  const auto st = ldns_rr_new_frm_str(&rr, line.c_str(), 60, org, nullptr);
  ldns_rdf_deep_free(org);
  if (st != LDNS_STATUS_OK) return base::Error{ldns_get_errorstr_by_id(st), "content", ""};
  Rdata out;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    auto* f = ldns_rr_rdf(rr, i);
    out.insert(out.end(), ldns_rdf_data(f), ldns_rdf_data(f) + ldns_rdf_size(f));
  }
  ldns_rr_free(rr);
  return out;
}
std::string rdata_to_text(RecordType type, std::span<const std::uint8_t> rdata) {
  std::vector<std::uint8_t> w{0};
  auto u16 = [&](unsigned v) {
    w.push_back(static_cast<std::uint8_t>(v >> 8));
    w.push_back(static_cast<std::uint8_t>(v));
  };
  u16(type);
  u16(1);
  u16(0);
  u16(60);
  u16(static_cast<unsigned>(rdata.size()));
  w.insert(w.end(), rdata.begin(), rdata.end());
  std::size_t pos = 0;
  ldns_rr* rr = nullptr;
  if (ldns_wire2rr(&rr, w.data(), w.size(), &pos, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK) return {};
  std::string out;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    char* s = ldns_rdf2str(ldns_rr_rdf(rr, i));
    if (i) out += ' ';
    out += s;
    std::free(s);
  }
  ldns_rr_free(rr);
  return out;
}
}  // namespace brink::ctl::model
