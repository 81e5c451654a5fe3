// /client/v4/accounts: list, show, rename; an operator makes and deletes them.
#include "ctl/api/audit.h"
#include "ctl/api/authorize.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using identity::Account;
using model::Refusal;
using store::Identities;

constexpr std::uint64_t kPerPage = 20, kPerPageMax = 1000;
constexpr std::size_t kNameSizeMax = 100;

Json account_json(const Account& account) {
  return {{"id", account.id.hex()},
          {"name", account.name},
          {"type", "standard"},
          {"settings", {{"enforce_twofactor", false}}},
          {"created_on", account.created_on.rfc3339()}};
}

model::Outcome<std::string> read_name(Identities& identities, const std::string& body) {
  const auto object = parse_object(body);
  if (!object) return object.error();
  std::string name;
  FieldReader fields(object.value());
  fields.text("name", name);
  if (fields.fault()) return *fields.fault();
  if (name.empty() || name.size() > kNameSizeMax || !is_printable(name)) {
    return Refusal{400,
                   kCodeIdentityInvalid,
                   "The name of an account has 1 to " + std::to_string(kNameSizeMax) +
                       " octets and no control characters.",
                   {}};
  }
  if (!identities.account_by_name(name)) return name;
  return Refusal{400, kCodeIdentityExists, "There is an account \"" + name + "\" already.", {}};
}

Reply list(Service& service, const Request& request) {
  const auto paging = read_paging(request, kPerPage, kPerPageMax);
  if (!paging) return refuse(paging.error());
  const identity::Principal& principal = request.principal;
  const auto page = Identities(service.store)
                        .list_accounts(principal.is_operator() ? std::nullopt
                                                               : std::optional(principal.account()),
                                       paging.value());
  return page_of(page, paging.value(), account_json);
}

Reply show(Service& service, const Request& request) {
  const auto account = Identities(service.store).account_by_id(account_of(request));
  CHECK(account.has_value());
  return answer(to_text(account_json(*account)));
}

Reply create(Service& service, const Request& request) {
  Identities identities(service.store);
  const auto name = read_name(identities, request.body);
  if (!name) return refuse(name.error());
  Account account{0, model::Id::random(service.entropy), name.value(), service.clock()};
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  identities.insert_account(account);
  audit(service, {account.id, "create", "account", account.id.hex(), account.name, nullptr,
                  account_json(account)});
  transaction.commit();
  return answer(to_text(account_json(account)));
}

Reply rename(Service& service, const Request& request) {
  Identities identities(service.store);
  auto account = identities.account_by_id(account_of(request));
  const auto name = read_name(identities, request.body);
  if (!name) return refuse(name.error());
  const Json before = account_json(*account);
  account->name = name.value();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  identities.rename_account(account->id, account->name);
  audit(service, {account->id, "update", "account", account->id.hex(), account->name, before,
                  account_json(*account)});
  transaction.commit();
  return answer(to_text(account_json(*account)));
}

Reply remove(Service& service, const Request& request) {
  Identities identities(service.store);
  const auto account = identities.account_by_id(account_of(request));
  if (account->id == identities.first_account()) {
    return refuse(
        {400, kCodeIdentityInUse, "The node's first account cannot be deleted; rename it.", {}});
  }
  if (const std::uint64_t zones = identities.zone_count(account->id); zones != 0) {
    return refuse({400,
                   kCodeIdentityInUse,
                   "The account has " + std::to_string(zones) + " zones; delete them first.",
                   {}});
  }
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  identities.delete_account(account->id);
  audit(service, {std::nullopt, "delete", "account", account->id.hex(), account->name,
                  account_json(*account), nullptr});
  transaction.commit();
  return answer(to_text({{"id", account->id.hex()}}));
}

}  // namespace

void add_accounts(Router& router, Service& service) {
  using enum identity::Permission;
  router.add("GET", "/client/v4/accounts", Access::anybody_known(), bound(service, list));
  router.add("POST", "/client/v4/accounts", kNodeEdit, bound(service, create));
  router.add("GET", "/client/v4/accounts/:account", Access::anybody_known(), bound(service, show));
  router.add("PUT", "/client/v4/accounts/:account", kAccountSettingsEdit, bound(service, rename));
  router.add("DELETE", "/client/v4/accounts/:account", kNodeEdit, bound(service, remove));
}

}  // namespace brink::ctl::api
