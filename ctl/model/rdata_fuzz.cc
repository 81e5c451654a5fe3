// Any data of any type, as text and as octets. What is taken as content comes out as content that
// is taken again, and means the same octets; octets that a zone file's parser lets through have a
// content. The input: 0 for text or 1 for octets, the type, the data.
#include <cstdint>
#include <string>

#include "ctl/model/record.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dns/zone/zone_file.h"

namespace {

using namespace brink;
using namespace brink::ctl::model;

constexpr std::size_t kSizeMax = 2048;

void check_content(RecordType type, const Rdata& rdata, const DomainName& zone) {
  const Content content = content_of(type, rdata);
  const auto again = rdata_of(type, content.text, content.priority, zone);
  CHECK(again.ok());
  CHECK(again.value() == rdata || content_of(type, again.value()).text == content.text);
}

void as_content(RecordType type, const std::string& text, const DomainName& zone) {
  const auto rdata = rdata_of(type, text, std::nullopt, zone);
  if (rdata) check_content(type, rdata.value(), zone);
}

// RFC 3597 5, as a zone file has it.
void as_octets(RecordType type, const std::string& data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string line = "x 60 IN TYPE" + std::to_string(type) + " \\# " + std::to_string(data.size());
  for (const char c : data) {
    if (&c == data.data()) line += ' ';
    line += kDigits[static_cast<unsigned char>(c) >> 4];
    line += kDigits[static_cast<unsigned char>(c) & 15];
  }
  static constexpr char kApex[] = "\7example\3com";  // and the root's octet that ends it
  const auto taken = dns::zone::parse_zone_file(
      line + "\n", std::string(kApex, sizeof kApex), 60,
      [](const dns::zone::ZoneFileRecord& found) {
        const auto& rdata = found.record.rdata;
        const Content content = content_of(found.record.type, Rdata(rdata.begin(), rdata.end()));
        CHECK(!content.text.empty() || found.record.type == kTypeTxt);
        return base::Result<void>{};
      });
  (void)taken;  // most of it is refused
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > kSizeMax) return 0;
  static const DomainName zone = DomainName::parse("example.com").value();
  const RecordType type = base::load_be16(data + 1);
  const std::string rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  if (!type_from_text("TYPE" + std::to_string(type)) || type == kTypeSoa) return 0;
  if (data[0] % 2 == 0) {
    as_content(type, rest, zone);
  } else {
    as_octets(type, rest);
  }
  return 0;
}
