#include "l7/http1/head_writer.h"

#include <charconv>

namespace brink::l7::http1 {

void HeadWriter::number(std::uint64_t value) noexcept {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  raw({digits, static_cast<std::size_t>(end - digits)});
}

void write_forwardable(HeadWriter& writer, const http::Fields& fields) noexcept {
  for (const http::Field& field : fields) {
    if ((field.flags & http::kFieldHopByHop) != 0) continue;
    if (field.id == http::FieldName::host || field.id == http::FieldName::content_length) continue;
    writer.field(fields.name(field), fields.value(field));
  }
}

}  // namespace brink::l7::http1
