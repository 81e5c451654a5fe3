// /client/v4/user: the caller. /brink/v1/accounts/:account/users and /brink/v1/users: the users of
// an account, whom an operator makes, deletes, and gives a new global key.
#include "ctl/api/audit.h"
#include "ctl/api/authorize.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using identity::User;
using model::Refusal;
using store::Identities;

constexpr std::uint64_t kPerPage = 20, kPerPageMax = 1000;
constexpr std::size_t kEmailSizeMax = 254;

Json user_json(const User& user) {
  return {{"id", user.id.hex()},
          {"email", user.email},
          {"account", {{"id", user.account.hex()}}},
          {"created_on", user.created_on.rfc3339()}};
}

// The one answer that has the key.
Reply answer_with_key(const User& user, const std::string& key) {
  Json json = user_json(user);
  json["api_key"] = key;
  return answer(to_text(json));
}

Reply show_self(Service& service, const Request& request) {
  Identities identities(service.store);
  const auto user = identities.user_by_id(*request.principal.user());
  CHECK(user.has_value());
  const auto account = identities.account_by_id(user->account);
  return answer(to_text({{"id", user->id.hex()},
                         {"email", user->email},
                         {"first_name", nullptr},
                         {"last_name", nullptr},
                         {"suspended", false},
                         {"two_factor_authentication_enabled", false},
                         {"created_on", user->created_on.rfc3339()},
                         {"organizations", Json::array({{{"id", user->account.hex()},
                                                         {"name", account ? account->name : ""},
                                                         {"status", "member"}}})}}));
}

Reply list(Service& service, const Request& request) {
  const auto paging = read_paging(request, kPerPage, kPerPageMax);
  if (!paging) return refuse(paging.error());
  const auto page = Identities(service.store).list_users(account_of(request), paging.value());
  return page_of(page, paging.value(), user_json);
}

std::optional<Refusal> fault_of(Identities& identities, const std::string& email) {
  const std::size_t at = email.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == email.size() ||
      email.size() > kEmailSizeMax || email.find(' ') != std::string::npos ||
      !is_printable(email)) {
    return Refusal{400,
                   kCodeIdentityInvalid,
                   "Field \"email\" must be an e-mail address of at most " +
                       std::to_string(kEmailSizeMax) + " octets.",
                   {}};
  }
  if (!identities.user_by_email(email)) return std::nullopt;
  return Refusal{400, kCodeIdentityExists, "There is a user " + email + " already.", {}};
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  User user;
  FieldReader fields(body.value());
  fields.text("email", user.email);
  if (fields.fault()) return refuse(*fields.fault());
  user.email = lower_case(std::move(user.email));
  Identities identities(service.store);
  if (auto fault = fault_of(identities, user.email)) return refuse(*fault);
  const std::string key = secret::random_hex(service.entropy, identity::kGlobalKeySize);
  user.id = model::Id::random(service.entropy);
  user.account = account_of(request);
  user.key_hash = secret::sha256(key);
  user.created_on = service.clock();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  identities.insert_user(user);
  audit(service,
        {user.account, "create", "user", user.id.hex(), user.email, nullptr, user_json(user)});
  transaction.commit();
  return answer_with_key(user, key);
}

model::Outcome<User> find_user(Service& service, const Request& request) {
  const std::string& text = request.parameters.at("user");
  const auto id = model::Id::parse(text);
  auto user = id ? Identities(service.store).user_by_id(*id) : std::nullopt;
  if (user) return *std::move(user);
  return Refusal{
      404, model::kCodeNotFound, "There is no user with the identifier " + text + ".", {}};
}

Reply remove(Service& service, const Request& request) {
  const auto user = find_user(service, request);
  if (!user) return refuse(user.error());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).delete_user(user.value().id);
  audit(service, {user.value().account, "delete", "user", user.value().id.hex(), user.value().email,
                  user_json(user.value()), nullptr});
  transaction.commit();
  return answer(to_text({{"id", user.value().id.hex()}}));
}

Reply roll_key(Service& service, const Request& request) {
  const auto user = find_user(service, request);
  if (!user) return refuse(user.error());
  const std::string key = secret::random_hex(service.entropy, identity::kGlobalKeySize);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).set_user_key(user.value().id, secret::sha256(key));
  audit(service, {user.value().account, "roll", "user", user.value().id.hex(), user.value().email,
                  user_json(user.value()), user_json(user.value())});
  transaction.commit();
  return answer_with_key(user.value(), key);
}

}  // namespace

void add_users(Router& router, Service& service) {
  using enum identity::Permission;
  router.add("GET", "/client/v4/user", kUserDetailsRead, bound(service, show_self));
  router.add("GET", "/brink/v1/accounts/:account/users", kAccountSettingsRead,
             bound(service, list));
  // A user may do everything in the account: who makes one has to be above all accounts.
  router.add("POST", "/brink/v1/accounts/:account/users", kNodeEdit, bound(service, create));
  router.add("DELETE", "/brink/v1/users/:user", kNodeEdit, bound(service, remove));
  router.add("PUT", "/brink/v1/users/:user/key", kNodeEdit, bound(service, roll_key));
}

}  // namespace brink::ctl::api
