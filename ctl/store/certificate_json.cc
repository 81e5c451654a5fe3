#include "ctl/store/certificate_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "ctl/store/sqlite.h"

namespace brink::ctl::store {
namespace {

using Json = nlohmann::json;
using model::Certificate;
using model::Subject;

constexpr std::pair<const char*, std::string Certificate::*> kTexts[] = {
    {"pem", &Certificate::pem},
    {"issuer", &Certificate::issuer},
    {"issuer_name", &Certificate::issuer_name},
    {"signature", &Certificate::signature},
    {"serial", &Certificate::serial},
    {"fingerprint", &Certificate::fingerprint},
    {"key_id", &Certificate::key_id},
};
constexpr std::pair<const char*, std::string Subject::*> kSubjectTexts[] = {
    {"common_name", &Subject::common_name},
    {"organization", &Subject::organization},
    {"organizational_unit", &Subject::organizational_unit},
    {"country", &Subject::country},
    {"state", &Subject::state},
    {"location", &Subject::location},
};

}  // namespace

std::string to_json_text(const Certificate& certificate) {
  Json json;
  for (const auto& [name, member] : kTexts) json[name] = certificate.*member;
  for (const auto& [name, member] : kSubjectTexts) {
    json["subject"][name] = certificate.subject.*member;
  }
  json["hosts"] = certificate.hosts;
  json["not_before"] = certificate.not_before.micros;
  json["expires_on"] = certificate.expires_on.micros;
  json["is_authority"] = certificate.is_authority;
  // A subject may hold any octets.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Certificate certificate_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Certificate certificate;
    for (const auto& [name, member] : kTexts) json.at(name).get_to(certificate.*member);
    for (const auto& [name, member] : kSubjectTexts) {
      json.at("subject").at(name).get_to(certificate.subject.*member);
    }
    json.at("hosts").get_to(certificate.hosts);
    json.at("not_before").get_to(certificate.not_before.micros);
    json.at("expires_on").get_to(certificate.expires_on.micros);
    json.at("is_authority").get_to(certificate.is_authority);
    return certificate;
  } catch (const Json::exception&) {
    throw Failure("the store holds a certificate that is none");
  }
}

}  // namespace brink::ctl::store
