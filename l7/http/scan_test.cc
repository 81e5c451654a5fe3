#include "l7/http/scan.h"

#include <gtest/gtest.h>

#include <string>

namespace brink::l7::http {
namespace {

// Every byte value at every position of a run long enough to cross the vector widths: the vector
// scans must agree with the tables.
TEST(Scan, AgreesWithTheTablesForEveryByteAtEveryPosition) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (std::size_t at = 0; at < 70; ++at) {
      std::string text(70, 'a');
      text[at] = c;
      const char* const p = text.data();
      const char* const end = p + text.size();
      const auto expected = [&](std::uint8_t bits) {
        return has_class(c, bits) ? end : p + at;
      };
      ASSERT_EQ(skip_value(p, end), expected(kCharValue)) << byte << " at " << at;
      ASSERT_EQ(skip_target(p, end), expected(kCharTarget)) << byte << " at " << at;
      ASSERT_EQ(skip_token(p, end), expected(kCharToken)) << byte << " at " << at;
    }
  }
}

}  // namespace
}  // namespace brink::l7::http
