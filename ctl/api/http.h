// Request and Reply: HTTP as the handlers see it, without a socket or an HTTP library.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/identity/principal.h"
#include "ctl/model/refusal.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::api {

// Headers that say who is asking, as often as they were sent.
struct Credentials {
  std::vector<std::string> authorization;
  std::vector<std::string> email;
  std::vector<std::string> key;

  [[nodiscard]] bool empty() const { return authorization.empty() && email.empty() && key.empty(); }
};

struct Request {
  std::string method;
  std::string path;                               // decoded, without query and trailing slash
  std::multimap<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> parameters;  // of the route: "zone" -> "0123..."
  std::string content_type;
  std::string body;
  bool trusted = false;   // came over the UNIX socket
  std::uint32_t uid = 0;  // of the peer, if trusted
  base::IpAddress peer;   // otherwise
  Credentials credentials;
  identity::Principal principal;  // filled in by handle()

  // The first value of a query key, or null.
  [[nodiscard]] const std::string* query_value(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? nullptr : &found->second;
  }
};

struct ResultInfo {
  std::uint64_t page = 1;
  std::uint64_t per_page = 0;
  std::uint64_t count = 0;
  std::uint64_t total_count = 0;
};

// What every JSON answer is wrapped in. `result` is finished JSON text.
struct Envelope {
  std::vector<model::Refusal> errors;
  std::vector<model::Cause> messages;
  std::string result = "null";
  std::optional<ResultInfo> info;
  std::string extra;  // further members, as `,"timing":{...}`
};

struct Reply {
  int status = 200;
  Envelope envelope;
  std::optional<std::string> text;  // plain text instead of the envelope
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint64_t version = 0;  // not 0: a change, complete once this version is served
  // Not empty: somebody else has the answer. Called instead of answering; gives the reply that
  // counts to its argument, once, from any thread, and returns at once.
  std::function<void(std::function<void(Reply)>)> later;
};

// Codes of our own, beside those of model/refusal.h.
inline constexpr int kCodeSettingUnknown = 1006;
inline constexpr int kCodeSettingValue = 1007;
inline constexpr int kCodeSettingFixed = 1008;
inline constexpr int kCodeMalformedJson = 6007;
inline constexpr int kCodeBadBody = 9207;
inline constexpr int kCodeMethod = 10405;
inline constexpr int kCodeStoreFailed = 12000;
inline constexpr int kCodeNotServedYet = 12001;  // message: stored, published later
inline constexpr int kCodeNotProvided = 12002;
inline constexpr int kCodeNotPublished = 12003;  // message: stored, but cannot be published
inline constexpr int kCodeBadParameter = 12004;
inline constexpr int kCodeZoneFile = 12006;
inline constexpr int kCodeNoStatistics = 12007;
inline constexpr int kCodeTooLarge = 12008;
inline constexpr int kCodeImportNote = 12009;  // message: what an import changed or left out
inline constexpr int kCodeStopping = 12010;
inline constexpr int kCodeEdgeSilent = 12011;   // the edge is away, busy or does not answer
inline constexpr int kCodeEdgeRefused = 12012;  // the edge answered: it cannot, or found a fault
inline constexpr int kCodeNotInHistory = 12013;
inline constexpr int kCodeNothingToDo = 12014;  // message: it is so already
inline constexpr int kCodeIdentityInvalid = 12015;
inline constexpr int kCodeIdentityExists = 12016;
inline constexpr int kCodeIdentityInUse = 12017;
inline constexpr int kCodeZoneChanged = 12030;
inline constexpr int kCodeDnssecKeyInvalid = 12031;
inline constexpr int kCodeDnssecState = 12032;  // not in this state of the zone's DNSSEC

// Of authentication and authorisation, as clients know them.
inline constexpr int kCodeListDenied = 0;
inline constexpr int kCodeDnsEditDenied = 1009;
inline constexpr int kCodeHeadersInvalid = 6003;
inline constexpr int kCodeEmailFormat = 6102;
inline constexpr int kCodeKeyFormat = 6103;
inline constexpr int kCodeAuthorizationFormat = 6111;
inline constexpr int kCodeKeyUnknown = 9103;
inline constexpr int kCodeTokenInvalid = 9109;
inline constexpr int kCodeAuthentication = 10000;
inline constexpr int kCodeTooMany = 10429;

// `{"result":...,"success":...,"errors":[...],"messages":[...],...}`, compact.
std::string to_json(const Envelope& envelope);

// An error answer.
Reply refuse(model::Refusal refusal);
// An answer whose result is `json`.
Reply answer(std::string json);
// 204, without a body.
Reply nothing();

// Splits a request target into path and query, both percent-decoded. Broken escapes stay as they
// are.
void set_target(Request& request, std::string_view target);

}  // namespace brink::ctl::api
