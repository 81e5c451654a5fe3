// Database: which country an address belongs to, from a file in MaxMind's DB format 2.0.
//
// Opening is cold; find() is hot, may be called by any number of threads, and never blocks.
#pragma once

#include <memory>
#include <string>

#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"
#include "l7/country/code.h"

struct MMDB_s;

namespace brink::l7::country {

class Database {
 public:
  // Reads and checks the whole file, which may go or change afterwards. `setting` names in errors
  // where the path comes from. An Error: it cannot be read, is damaged, or knows no countries.
  static base::Result<std::unique_ptr<const Database>> open(const std::string& path,
                                                            const std::string& setting);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // kUnknown where the database says nothing of use.
  [[nodiscard]] Code find(const base::IpAddress& address) const noexcept;

  // For people: what it is and of when.
  [[nodiscard]] std::string text() const;

 private:
  Database() = default;

  std::unique_ptr<MMDB_s> file_;  // open
};

}  // namespace brink::l7::country
