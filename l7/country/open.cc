// Opening a database, and all that is checked before it is used: the cold part.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <unordered_set>
#include <vector>

#include "dataplane/ipc/sealed_memory.h"
#include "l7/country/record.h"

namespace brink::l7::country {
namespace {

constexpr char kRemedy[] = "put a whole file there, for example a fresh download";

// What is wrong with its tree or its records; empty: nothing. Every node is looked at once, and
// every record: there are some hundred of them that millions of networks share.
std::string fault_of(const MMDB_s& file) {
  std::unordered_set<std::uint32_t> seen;
  bool knows_countries = false;
  const auto check = [&](std::uint8_t type, MMDB_entry_s entry) {
    if (type != MMDB_RECORD_TYPE_DATA) return type != MMDB_RECORD_TYPE_INVALID;
    if (!seen.insert(entry.offset).second) return true;
    MMDB_entry_data_list_s* list = nullptr;
    const bool whole = MMDB_get_entry_data_list(&entry, &list) == MMDB_SUCCESS;
    MMDB_free_entry_data_list(list);
    knows_countries = knows_countries || (whole && code_in(entry).has_value());
    return whole;
  };
  for (std::uint32_t i = 0; i < file.metadata.node_count; ++i) {
    MMDB_search_node_s node;
    if (MMDB_read_node(&file, i, &node) != MMDB_SUCCESS ||
        !check(node.left_record_type, node.left_record_entry) ||
        !check(node.right_record_type, node.right_record_entry)) {
      return "it is damaged: node " + std::to_string(i) + " of its tree leads nowhere";
    }
  }
  return knows_countries ? "" : "it has no countries: no record has country.iso_code";
}

}  // namespace

base::Result<std::unique_ptr<const Database>> Database::open(const std::string& path,
                                                             const std::string& setting) {
  const std::string where = setting + " = " + path;
  std::ifstream stream(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.good() && !stream.eof()) {
    return base::Error{"the country database cannot be read", where,
                       "name a file in MaxMind's format that brink-edge may read"};
  }
  if (bytes.empty()) return base::Error{"the country database is empty", where, kRemedy};
  auto memory = ipc::SealedMemory::make(bytes);
  if (!memory) return memory.error();
  const std::string copy = "/proc/self/fd/" + std::to_string(memory.value().get());

  std::unique_ptr<Database> database(new Database);
  auto file = std::make_unique<MMDB_s>();
  const int opened = MMDB_open(copy.c_str(), MMDB_MODE_MMAP, file.get());
  if (opened != MMDB_SUCCESS) {
    return base::Error{std::string("it is no country database: ") + MMDB_strerror(opened), where,
                       kRemedy};
  }
  database->file_ = std::move(file);
  // Where the system does not allow it, the pages are in memory all the same, but may be swapped.
  static_cast<void>(
      ::mlock(database->file_->file_content, static_cast<std::size_t>(database->file_->file_size)));
  if (const std::string fault = fault_of(*database->file_); !fault.empty()) {
    return base::Error{"country database: " + fault, where, kRemedy};
  }
  return std::unique_ptr<const Database>(std::move(database));
}

Database::~Database() {
  if (file_) MMDB_close(file_.get());
}

std::string Database::text() const {
  const auto built = static_cast<std::time_t>(file_->metadata.build_epoch);
  std::tm day{};
  ::gmtime_r(&built, &day);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", &day);
  return std::string(file_->metadata.database_type) + " of " + date;
}

}  // namespace brink::l7::country
