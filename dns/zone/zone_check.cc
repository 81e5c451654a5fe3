#include "dns/zone/zone_check.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "dataplane/base/bytes.h"
#include "dns/zone/text.h"

namespace brink::dns::zone {
namespace {

constexpr std::size_t kSoaFixedSize = 20;  // RFC 1035 3.3.13: five numbers behind two names

bool comes_by_signing(std::uint16_t type) {
  return type == kTypeRrsig || type == kTypeNsec || type == kTypeNsec3;
}

Wire parent(const Wire& name) {
  return name.substr(1U + static_cast<unsigned char>(name[0]));
}

bool is_wildcard(const Wire& name) {
  return name.size() > 2 && name[0] == 1 && name[1] == '*';
}

// Where in the data of a type the name of a server begins whose addresses are wanted.
std::optional<std::size_t> target_offset(std::uint16_t type) {
  switch (type) {
    case kTypeNs:
      return 0;
    case kTypeMx:
      return 2;
    case kTypeSrv:
      return 6;
    default:
      return std::nullopt;
  }
}

class ZoneCheck {
 public:
  explicit ZoneCheck(Wire apex) : apex_(std::move(apex)) {}

  Findings run(std::span<const CheckedRecord> records);

 private:
  struct Set {
    std::uint32_t ttl = 0;
    std::size_t line = 0;
    std::vector<Wire> rdata;
    std::vector<std::size_t> lines;  // of each
  };
  struct Name {
    std::map<std::uint16_t, Set> sets;

    [[nodiscard]] bool has(std::uint16_t type) const { return sets.contains(type); }
    [[nodiscard]] bool has_address() const { return has(kTypeA) || has(kTypeAaaa); }
  };

  void take(const CheckedRecord& record);
  void check_apex();
  void check_name(const Wire& owner, const Name& name);
  void check_alias(const Wire& owner, const Name& name);
  void check_cut(const Wire& owner, const Name& name);
  void check_occluded(const Wire& owner, const Name& name, const Wire& above);
  void check_targets(const Wire& owner, std::uint16_t type, const Set& set);
  void check_target(const Wire& owner, std::uint16_t type, std::size_t line, const Wire& target);
  // The topmost delegation or DNAME that hides a name; empty: none.
  [[nodiscard]] std::optional<Wire> hidden_by(const Wire& owner) const;
  [[nodiscard]] const Name* find(const Wire& name) const;
  // The name that answers for one that the zone has, or a wildcard for one that it has not.
  [[nodiscard]] const Name* answering(const Wire& name) const;
  [[nodiscard]] bool is_cut(const Wire& owner, const Name& name) const {
    return owner != apex_ && name.has(kTypeNs);
  }
  void tell(Severity severity, const Wire& owner, std::uint16_t type, std::string what,
            std::string remedy);
  void tell_at(std::size_t line, Severity severity, const Wire& owner, std::uint16_t type,
               std::string what, std::string remedy);
  [[nodiscard]] std::size_t line_of(const Wire& owner, std::uint16_t type) const;

  const Wire apex_;
  std::unordered_map<Wire, Name> names_;
  std::vector<Wire> order_;                // as they came
  std::unordered_map<Wire, bool> exists_;  // with their ancestors
  Findings findings_;
};

void ZoneCheck::tell(Severity severity, const Wire& owner, std::uint16_t type, std::string what,
                     std::string remedy) {
  tell_at(line_of(owner, type), severity, owner, type, std::move(what), std::move(remedy));
}

void ZoneCheck::tell_at(std::size_t line, Severity severity, const Wire& owner, std::uint16_t type,
                        std::string what, std::string remedy) {
  findings_.push_back({severity, owner, type, std::move(what), std::move(remedy), line});
}

// Of the type's first record, or of the name's.
std::size_t ZoneCheck::line_of(const Wire& owner, std::uint16_t type) const {
  const Name* name = find(owner);
  if (name == nullptr || name->sets.empty()) return 0;
  const auto set = name->sets.find(type);
  return set == name->sets.end() ? name->sets.begin()->second.line : set->second.line;
}

const ZoneCheck::Name* ZoneCheck::find(const Wire& name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : &at->second;
}

const ZoneCheck::Name* ZoneCheck::answering(const Wire& name) const {
  if (const Name* found = find(name); found != nullptr) return found;
  Wire closest = name;
  do {
    if (closest == apex_ || exists_.contains(closest)) break;
    closest = parent(closest);
  } while (is_at_or_below(closest, apex_));
  if (closest == name) return nullptr;  // an empty non-terminal
  return find(Wire("\1*", 2) + closest);
}

void ZoneCheck::take(const CheckedRecord& checked) {
  const ResourceRecord& record = checked.record;
  const Wire owner = lower_name(record.owner);
  if (!is_at_or_below(owner, apex_)) {
    findings_.push_back({Severity::kError, owner, record.type,
                         "the record is outside the zone " + name_to_text(apex_),
                         "move it to its own zone", checked.line});
    return;
  }
  const auto [at, fresh] = names_.try_emplace(owner);
  if (fresh) order_.push_back(owner);
  for (Wire up = owner; exists_.emplace(up, true).second && up != apex_;) up = parent(up);
  const auto [set, first] =
      at->second.sets.try_emplace(record.type, Set{record.ttl, checked.line, {}, {}});
  Set& known = set->second;
  // Signatures have the TTL of what they cover (RFC 4034 3).
  if (!first && record.type != kTypeRrsig && known.ttl != record.ttl) {
    findings_.push_back({Severity::kWarning, owner, record.type,
                         "TTL " + std::to_string(record.ttl) + " beside " +
                             std::to_string(known.ttl) + " of the same RRset",
                         "give all of them one; the smallest is served (RFC 2181 5.2)",
                         checked.line});
    known.ttl = std::min(known.ttl, record.ttl);
  }
  if (std::find(known.rdata.begin(), known.rdata.end(), record.rdata) != known.rdata.end()) {
    findings_.push_back({Severity::kWarning, owner, record.type, "the record is there twice",
                         "keep one", checked.line});
    return;
  }
  known.rdata.push_back(record.rdata);
  known.lines.push_back(checked.line);
}

Findings ZoneCheck::run(std::span<const CheckedRecord> records) {
  for (const CheckedRecord& record : records) take(record);
  check_apex();
  for (const Wire& owner : order_) check_name(owner, names_.at(owner));
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const Finding& a, const Finding& b) { return a.line < b.line; });
  return std::move(findings_);
}

void ZoneCheck::check_apex() {
  const Name* apex = find(apex_);
  const auto soa = apex == nullptr ? 0 : apex->sets.count(kTypeSoa);
  if (soa == 0)
    return tell(Severity::kError, apex_, kTypeSoa, "the zone has no SOA record", "add one");
  const Set& set = apex->sets.at(kTypeSoa);
  if (set.rdata.size() > 1) {
    tell(Severity::kError, apex_, kTypeSoa, "the zone has more than one SOA record", "keep one");
  }
  if (!apex->has(kTypeNs)) {
    tell(Severity::kError, apex_, kTypeNs, "the zone has no NS records at its apex",
         "add its name servers");
  }
  const Wire& rdata = set.rdata.front();
  if (rdata.size() <= kSoaFixedSize) return;
  const auto number = [&](std::size_t index) {
    return base::load_be32(rdata.data() + rdata.size() - kSoaFixedSize + 4 * index);
  };
  const std::uint32_t refresh = number(1), retry = number(2), expire = number(3);
  if (expire < refresh + retry) {  // RFC 1912 2.2
    tell(Severity::kWarning, apex_, kTypeSoa,
         "expire " + std::to_string(expire) + " is less than refresh and retry together",
         "let secondaries keep the zone for two weeks or more");
  }
}

void ZoneCheck::check_name(const Wire& owner, const Name& name) {
  if (const auto above = hidden_by(owner)) return check_occluded(owner, name, *above);
  if (owner != apex_ && name.has(kTypeSoa)) {
    tell(Severity::kError, owner, kTypeSoa, "SOA below the apex",
         "remove it or serve it as a zone");
  }
  check_alias(owner, name);
  if (is_cut(owner, name)) check_cut(owner, name);
  if (owner != apex_ && name.has(kTypeDs) && !name.has(kTypeNs)) {  // RFC 4035 2.4
    tell(Severity::kError, owner, kTypeDs, "DS without NS: nothing is delegated here",
         "add the NS records, or remove it");
  }
  if (owner == apex_ && name.has(kTypeDs)) {
    tell(Severity::kWarning, owner, kTypeDs, "DS at the zone's own apex",
         "it belongs into the zone above");
  }
  if (is_wildcard(owner) && (name.has(kTypeNs) || name.has(kTypeDname))) {  // RFC 4592 4.2, 4.4
    tell(Severity::kError, owner, name.has(kTypeNs) ? kTypeNs : kTypeDname,
         "a wildcard cannot delegate or redirect", "name each delegation");
  }
  for (const auto& [type, set] : name.sets) check_targets(owner, type, set);
}

void ZoneCheck::check_alias(const Wire& owner, const Name& name) {
  if (name.has(kTypeCname)) {
    for (const auto& [type, set] : name.sets) {
      if (type == kTypeCname || comes_by_signing(type)) continue;
      tell(Severity::kError, owner, kTypeCname, "CNAME beside " + type_to_text(type),
           "keep one kind (RFC 1034 3.6.2)");
      break;
    }
    if (name.sets.at(kTypeCname).rdata.size() > 1) {
      tell(Severity::kError, owner, kTypeCname, "more than one CNAME at a name", "keep one");
    }
    const Wire target = lower_name(name.sets.at(kTypeCname).rdata.front());
    if (target == owner) {
      tell(Severity::kError, owner, kTypeCname, "it points at itself", "name another target");
    } else if (is_at_or_below(target, apex_) && !exists_.contains(target) && !hidden_by(target) &&
               answering(target) == nullptr) {
      tell(Severity::kWarning, owner, kTypeCname,
           "its target " + name_to_text(target) + " is not there", "add it, or name another");
    }
  }
  if (name.has(kTypeDname) && name.sets.at(kTypeDname).rdata.size() > 1) {
    tell(Severity::kError, owner, kTypeDname, "more than one DNAME at a name",
         "keep one (RFC 6672 2.4)");
  }
}

// RFC 2181 6.1, RFC 4035 2.6. Addresses are glue, if they are of one of the servers.
void ZoneCheck::check_cut(const Wire& owner, const Name& name) {
  for (const auto& [type, set] : name.sets) {
    if (type == kTypeNs || type == kTypeDs || comes_by_signing(type)) continue;
    const std::vector<Wire>& servers = name.sets.at(kTypeNs).rdata;
    const bool is_glue = (type == kTypeA || type == kTypeAaaa) &&
                         std::any_of(servers.begin(), servers.end(),
                                     [&](const Wire& each) { return lower_name(each) == owner; });
    if (is_glue) continue;
    tell(Severity::kWarning, owner, type, "data at a delegation is never answered",
         "move it into the delegated zone, or remove the NS records");
  }
}

std::optional<Wire> ZoneCheck::hidden_by(const Wire& owner) const {
  std::optional<Wire> topmost;
  for (Wire up = owner; up != apex_;) {
    up = parent(up);
    const Name* above = find(up);
    if (above != nullptr && (is_cut(up, *above) || above->has(kTypeDname))) topmost = up;
  }
  return topmost;
}

// Below a delegation there is glue and nothing else; below a DNAME nothing at all.
void ZoneCheck::check_occluded(const Wire& owner, const Name& name, const Wire& above) {
  const Name& hides = *find(above);
  const bool is_below_cut = is_cut(above, hides);
  for (const auto& [type, set] : name.sets) {
    if (type == kTypeNsec3 || (type == kTypeRrsig && name.has(kTypeNsec3))) continue;
    if (!is_below_cut) {
      return tell(Severity::kError, owner, type,
                  "data below the DNAME of " + name_to_text(above) + " is never answered",
                  "remove it (RFC 6672 2.4)");
    }
    if (type == kTypeA || type == kTypeAaaa) continue;
    return tell(Severity::kWarning, owner, type,
                "data below the delegation of " + name_to_text(above) + " is never answered",
                "move it into the delegated zone");
  }
}

void ZoneCheck::check_targets(const Wire& owner, std::uint16_t type, const Set& set) {
  const auto offset = target_offset(type);
  if (!offset) return;
  for (std::size_t i = 0; i < set.rdata.size(); ++i) {
    const Wire& rdata = set.rdata[i];
    if (rdata.size() <= *offset) continue;
    const Wire target = lower_name(rdata.substr(*offset));
    if (target.size() > 1) check_target(owner, type, set.lines[i], target);  // "." is none
  }
}

void ZoneCheck::check_target(const Wire& owner, std::uint16_t type, std::size_t line,
                             const Wire& target) {
  if (!is_at_or_below(target, apex_)) return;
  const bool is_server = type == kTypeNs;
  const bool is_delegation = is_server && owner != apex_;
  const Name* found = answering(target);
  const std::string shown = name_to_text(target);
  if (found != nullptr && found->has(kTypeCname)) {  // RFC 2181 10.3
    return tell_at(line, is_server ? Severity::kError : Severity::kWarning, owner, type,
                   "its target " + shown + " is an alias (CNAME)", "name the host itself");
  }
  if (found != nullptr && found->has_address()) return;
  if (const auto above = hidden_by(target);
      above && !(is_delegation && is_at_or_below(target, owner))) {
    return;  // another zone's, which has its addresses
  }
  const Name* at = find(target);
  if (at != nullptr && is_cut(target, *at) && !(is_delegation && target == owner)) return;
  if (is_delegation && is_at_or_below(target, owner)) {
    return tell_at(line, Severity::kError, owner, type,
                   "the delegation lacks the address of its server " + shown + " (glue)",
                   "add an A or AAAA record of it (RFC 9471)");
  }
  tell_at(line, is_server ? Severity::kError : Severity::kWarning, owner, type,
          "its target " + shown + " has no address", "add an A or AAAA record, or name another");
}

}  // namespace

Findings check_zone(const Wire& apex, std::span<const CheckedRecord> records) {
  return ZoneCheck(lower_name(apex)).run(records);
}

}  // namespace brink::dns::zone
