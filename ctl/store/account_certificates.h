// AccountCertificates: authorities and certificates that an account has, and which names of its
// zones ask their clients for a certificate of which authority. Changes of what zones use take
// versions (ZoneTables), and no rollback touches them.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ctl/model/certificate.h"
#include "ctl/store/query.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class AccountCertificates {
 public:
  explicit AccountCertificates(Store& store) : store_(store), database_(*store.database_) {}

  // Those that users have uploaded; oldest first.
  Page<model::AccountCertificate> list(const model::Id& account, const Paging& paging);
  std::uint64_t count(const model::Id& account);
  // Uploaded or not.
  std::optional<model::AccountCertificate> find(const model::Id& account, const model::Id& id);
  // The one that Brink has made for the account, if it has.
  std::optional<model::AccountCertificate> managed(const model::Id& account);
  bool has(const model::Id& account, const std::string& fingerprint);
  void insert(const model::AccountCertificate& certificate);
  void remove(const model::Id& id);

  // Names of a zone that ask for a certificate of `authority`, or, if that is empty, of the managed
  // one; by name.
  std::vector<std::string> hosts_of(const model::Id& zone,
                                    const std::optional<model::Id>& authority);
  void set_hosts(const model::Id& zone, const std::optional<model::Id>& authority,
                 const std::vector<std::string>& hosts);
  // All names of a zone that ask for certificates, by name.
  std::vector<model::HostAuthority> host_authorities(const model::Id& zone);
  // How many names, of zones that there are, ask for a certificate of the authority.
  std::uint64_t host_count(const model::Id& authority);
  // Also those of zones that a rollback may bring back.
  void remove_hosts(const model::Id& authority);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
