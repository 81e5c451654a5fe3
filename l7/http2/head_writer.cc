#include "l7/http2/head_writer.h"

#include <charconv>
#include <cstring>

#include "l7/http/chars.h"

namespace brink::l7::http2 {

void HeadWriter::request_line(std::string_view method, std::string_view target,
                              std::string_view scheme, std::string_view authority,
                              std::string_view protocol) noexcept {
  field(":method", method);
  if (!protocol.empty()) field(":protocol", protocol);
  field(":scheme", scheme);
  if (!authority.empty()) field(":authority", authority);
  field(":path", target);
}

void HeadWriter::status_line(std::uint16_t status, std::string_view /*reason*/) noexcept {
  field(":status", std::uint64_t{status});
}

void HeadWriter::begin_field(std::string_view name) noexcept {
  if (count_ == kFieldsMax || name.size() > 0xffff) {
    ok_ = false;
    return;
  }
  Field& field = fields_[count_];
  field.name_at = static_cast<std::uint32_t>(size_);
  field.name_size = static_cast<std::uint16_t>(name.size());
  raw(name);
  if (!ok_) return;
  for (std::size_t i = field.name_at; i < size_; ++i) out_[i] = http::to_lower(out_[i]);
  field.value_at = static_cast<std::uint32_t>(size_);
}

void HeadWriter::end_field() noexcept {
  if (!ok_) return;
  fields_[count_].value_size = static_cast<std::uint32_t>(size_) - fields_[count_].value_at;
  ++count_;
}

void HeadWriter::raw(std::string_view text) noexcept {
  if (!ok_ || text.size() > out_.size() - size_) {
    ok_ = false;
    return;
  }
  if (!text.empty()) std::memcpy(out_.data() + size_, text.data(), text.size());
  size_ += text.size();
}

void HeadWriter::number(std::uint64_t value) noexcept {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  raw({digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace brink::l7::http2
