// brinkctl account ... and brinkctl user ...
#include <cstdio>

#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/setting_value.h"

namespace brink::ctl::cli {
namespace {

void print_account(Session& session, const Json& account) {
  if (session.json()) return print_json(account);
  print("name     " + text_of(account, "name") + "\nid       " + text_of(account, "id") +
        "\ncreated  " + text_of(account, "created_on") + "\n");
}

void list_accounts(Session& session, const Arguments&) {
  const Json accounts = session.list("/client/v4/accounts");
  if (session.json()) return print_json(accounts);
  std::vector<Row> rows;
  for (const Json& account : accounts) {
    rows.push_back(
        {text_of(account, "name"), text_of(account, "created_on"), text_of(account, "id")});
  }
  print(table({"NAME", "CREATED", "ID"}, rows));
}

Json account_named(Session& session, const std::string& name) {
  Arguments wanted;
  wanted.options["account"] = name;
  return find_account(session, wanted);
}

std::string account_path(const Json& account) {
  return "/client/v4/accounts/" + text_of(account, "id");
}

void create_account(Session& session, const Arguments& arguments) {
  print_account(session,
                session.call("POST", "/client/v4/accounts", {{"name", arguments.positional[0]}}));
}

void rename_account(Session& session, const Arguments& arguments) {
  const Json account = account_named(session, arguments.positional[0]);
  print_account(session,
                session.call("PUT", account_path(account), {{"name", arguments.positional[1]}}));
}

void delete_account(Session& session, const Arguments& arguments) {
  const Json account = account_named(session, arguments.positional[0]);
  const Json result = session.call("DELETE", account_path(account));
  if (session.json()) return print_json(result);
  print("deleted account " + text_of(account, "name") + "\n");
}

Json dns_settings(Session& session, const Json& account) {
  Json flat = Json::object();
  const Json settings = session.call("GET", account_path(account) + "/dns_settings");
  for (const auto& [name, value] : settings.items()) flatten(name, value, flat);
  return flat;
}

void print_settings(Session& session, const Json& settings) {
  if (session.json()) return print_json(settings);
  std::vector<Row> rows;
  for (const auto& [name, value] : settings.items()) rows.push_back({name, value_text(value)});
  print(table({"SETTING", "VALUE"}, rows));
}

void show_settings(Session& session, const Arguments& arguments) {
  const Json account = account_named(session, arguments.positional[0]);
  print_settings(session, dns_settings(session, account));
}

void set_setting(Session& session, const Arguments& arguments) {
  const Json account = account_named(session, arguments.positional[0]);
  const std::string& name = arguments.positional[1];
  if (!dns_settings(session, account).contains(name)) {
    throw Stop(Exit::kNotFound, "there is no setting \"" + name +
                                    "\"; see brinkctl account settings " + arguments.positional[0]);
  }
  session.call("PATCH", account_path(account) + "/dns_settings",
               nested(name, value_of(arguments.positional[2])));
  print_settings(session, {{name, dns_settings(session, account)[name]}});
}

std::string users_path(Session& session, const Arguments& arguments) {
  return "/brink/v1/accounts/" + text_of(find_account(session, arguments), "id") + "/users";
}

Json find_user(Session& session, const Arguments& arguments) {
  const std::string& email = arguments.positional[0];
  for (const Json& user : session.list(users_path(session, arguments))) {
    if (text_of(user, "email") == email || text_of(user, "id") == email) return user;
  }
  throw Stop(Exit::kNotFound, "there is no user \"" + email + "\" in this account");
}

void list_users(Session& session, const Arguments& arguments) {
  const Json users = session.list(users_path(session, arguments));
  if (session.json()) return print_json(users);
  std::vector<Row> rows;
  for (const Json& user : users) {
    rows.push_back({text_of(user, "email"), text_of(user, "created_on"), text_of(user, "id")});
  }
  print(table({"EMAIL", "CREATED", "ID"}, rows));
}

// The key goes to standard output, alone, so that a script can take it.
void print_key(Session& session, const Json& user) {
  if (session.json()) return print_json(user);
  print(text_of(user, "api_key") + "\n");
  std::fputs("brinkctl: this is the only time that the global key is shown\n", stderr);
}

void create_user(Session& session, const Arguments& arguments) {
  print_key(session, session.call("POST", users_path(session, arguments),
                                  {{"email", arguments.positional[0]}}));
}

void delete_user(Session& session, const Arguments& arguments) {
  const Json user = find_user(session, arguments);
  const Json result = session.call("DELETE", "/brink/v1/users/" + text_of(user, "id"));
  if (session.json()) return print_json(result);
  print("deleted user " + text_of(user, "email") + "\n");
}

void roll_key(Session& session, const Arguments& arguments) {
  const Json user = find_user(session, arguments);
  print_key(session, session.call("PUT", "/brink/v1/users/" + text_of(user, "id") + "/key"));
}

}  // namespace

const std::vector<Command>& account_commands() {
  static const Option kAccount = {"account", "ACCOUNT", "name or id, when there are several"};
  static const std::vector<Command> kCommands = {
      {"account", "list", "", 0, 0, "All accounts.", {}, list_accounts},
      {"account", "create", "NAME", 1, 1, "Makes an account.", {}, create_account},
      {"account", "rename", "ACCOUNT NAME", 2, 2, "Renames an account.", {}, rename_account},
      {"account",
       "settings",
       "ACCOUNT",
       1,
       1,
       "How the zones of an account are answered, and what new ones start with.",
       {},
       show_settings},
      {"account",
       "set",
       "ACCOUNT SETTING VALUE",
       3,
       3,
       "Changes one of these; enforce_dns_only changes all zones at once.",
       {},
       set_setting},
      {"account",
       "delete",
       "ACCOUNT",
       1,
       1,
       "Deletes an account that has no zones, with its users and tokens.",
       {},
       delete_account},
      {"user", "list", "", 0, 0, "The users of an account.", {kAccount}, list_users},
      {"user",
       "create",
       "EMAIL",
       1,
       1,
       "Makes a user and prints the global key, once.\n"
       "Whoever has it may do everything within the account.",
       {kAccount},
       create_user},
      {"user", "delete", "EMAIL", 1, 1, "Deletes a user with all tokens.", {kAccount}, delete_user},
      {"user",
       "key",
       "EMAIL",
       1,
       1,
       "Gives a user a new global key and prints it, once. The old one is worth nothing.",
       {kAccount},
       roll_key},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
