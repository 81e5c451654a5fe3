#include "dataplane/edge/error_page.h"

#include <fstream>

#include "l7/page/page.h"

namespace brink::edge {

base::Result<std::unique_ptr<const std::string>> read_error_page(const std::string& path) {
  const std::string where = "l7.error-page = " + path;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::Error{"the error page cannot be read", where,
                       "name a file that brink-edge may read"};
  }
  // One octet more than a page may have is enough to see that it has too many.
  std::string text(l7::page::kTextMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (auto fault = l7::page::page_fault(text)) {
    return base::Error{"the error page: " + fault->what, where, fault->remedy};
  }
  return std::make_unique<const std::string>(std::move(text));
}

}  // namespace brink::edge
