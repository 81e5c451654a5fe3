#include "l7/http1/head_writer.h"

namespace brink::l7::http1 {

void HeadWriter::number(std::uint64_t value) noexcept {
  char digits[20];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  raw({digits + at, sizeof digits - at});
}

void write_forwardable(HeadWriter& writer, const http::Fields& fields) noexcept {
  for (const http::Field& field : fields) {
    if ((field.flags & http::kFieldHopByHop) != 0) continue;
    if (field.id == http::FieldName::host || field.id == http::FieldName::content_length) continue;
    writer.field(fields.name(field), fields.value(field));
  }
}

}  // namespace brink::l7::http1
