#include "ctl/model/zone_dnssec.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace brink::ctl::model {
namespace {

constexpr std::pair<DnssecStatus, std::string_view> kStatusTexts[] = {
    {DnssecStatus::kDisabled, "disabled"},
    {DnssecStatus::kPending, "pending"},
    {DnssecStatus::kActive, "active"},
    {DnssecStatus::kPendingDisabled, "pending-disabled"},
    {DnssecStatus::kError, "error"}};

struct Flag {
  std::string_view name;
  bool ZoneDnssec::*member;
};
constexpr Flag kFlags[] = {{"split_keys", &ZoneDnssec::split_keys},
                           {"multi_signer", &ZoneDnssec::multi_signer},
                           {"presigned", &ZoneDnssec::presigned},
                           {"opt_out", &ZoneDnssec::opt_out}};

struct Number {
  std::string_view name;
  std::uint32_t ZoneDnssec::*member;
};
constexpr Number kNumbers[] = {{"key_set", &ZoneDnssec::key_set},
                               {"signing_set", &ZoneDnssec::signing_set},
                               {"resigned", &ZoneDnssec::resigned}};

template <typename T>
std::optional<T> to_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes a value into `target`; false: it is none.
template <typename T, typename U>
bool assign(T& target, const std::optional<U>& value) {
  if (value) target = *value;
  return value.has_value();
}

// False: no such member, or no such value.
bool read_member(std::string_view name, std::string_view value, ZoneDnssec& dnssec) {
  for (const Flag& flag : kFlags) {
    if (flag.name != name) continue;
    dnssec.*flag.member = value == "1";
    return value == "0" || value == "1";
  }
  for (const Number& number : kNumbers) {
    if (number.name == name) return assign(dnssec.*number.member, to_number<std::uint32_t>(value));
  }
  if (name == "status") return assign(dnssec.status, dnssec_status_from_text(value));
  if (name == "algorithm") return assign(dnssec.algorithm, to_number<std::uint8_t>(value));
  if (name == "denial") {
    dnssec.denial = value == "nsec3" ? ZoneDenial::kNsec3 : ZoneDenial::kNsec;
    return value == "nsec" || value == "nsec3";
  }
  if (name != "modified_on") return false;
  const auto micros = to_number<std::int64_t>(value);
  if (micros) dnssec.modified_on = Timestamp{*micros};
  return micros.has_value();
}

}  // namespace

std::string_view to_text(DnssecStatus status) {
  return kStatusTexts[static_cast<std::size_t>(status)].second;
}

std::optional<DnssecStatus> dnssec_status_from_text(std::string_view text) {
  for (const auto& [status, name] : kStatusTexts) {
    if (name == text) return status;
  }
  return std::nullopt;
}

bool ZoneDnssec::differs_below_apex(const ZoneDnssec& other) const {
  if (is_signed() != other.is_signed() || presigned != other.presigned) return true;
  if (presigned) return signing_set != other.signing_set;
  return is_signed() &&
         (denial != other.denial || signing_set != other.signing_set || opt_out != other.opt_out);
}

std::string to_text(const ZoneDnssec& dnssec) {
  const ZoneDnssec defaults;
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += std::string(name) + "=" + std::string(value) + "\n";
  };
  if (dnssec.status != defaults.status) add("status", to_text(dnssec.status));
  if (dnssec.algorithm != defaults.algorithm) add("algorithm", std::to_string(dnssec.algorithm));
  if (dnssec.denial == ZoneDenial::kNsec3) add("denial", "nsec3");
  for (const Flag& flag : kFlags) {
    if (dnssec.*flag.member) add(flag.name, "1");
  }
  for (const Number& number : kNumbers) {
    if (dnssec.*number.member != 0) add(number.name, std::to_string(dnssec.*number.member));
  }
  if (dnssec.modified_on) add("modified_on", std::to_string(dnssec.modified_on->micros));
  return text;
}

std::optional<ZoneDnssec> zone_dnssec_from_text(std::string_view text) {
  ZoneDnssec dnssec;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!read_member(line.substr(0, equals), line.substr(equals + 1), dnssec)) return std::nullopt;
  }
  return dnssec;
}

}  // namespace brink::ctl::model
