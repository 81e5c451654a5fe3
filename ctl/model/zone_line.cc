#include "ctl/model/zone_line.h"

namespace brink::ctl::model {
namespace {

constexpr std::string_view kMarker = "cf_tags=";

// name:value, the value in quotes when it would not survive without.
std::string tag_text(const std::string& tag) {
  const std::size_t colon = tag.find(':');
  if (colon == std::string::npos || tag.find_first_of(",\" ", colon) == std::string::npos) {
    return tag;
  }
  std::string text = tag.substr(0, colon + 1) + "\"";
  for (const char c : tag.substr(colon + 1)) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

// Takes one tag off the front of a comma-separated list.
std::string take_tag(std::string_view& list) {
  std::string tag;
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != ','); ++at) {
    if (list[at] == '"') {
      quoted = !quoted;
    } else if (quoted && list[at] == '\\' && at + 1 < list.size()) {
      tag += list[++at];
    } else {
      tag += list[at];
    }
  }
  list.remove_prefix(std::min(at + 1, list.size()));
  return tag;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string line_of(const DomainName& owner, std::uint32_t ttl, RecordType type,
                    const std::string& data, const std::string& comment) {
  std::string line =
      owner.text() + ".\t" + std::to_string(ttl) + "\tIN\t" + type_to_text(type) + "\t" + data;
  if (!comment.empty()) line += " ; " + comment;
  return line + "\n";
}

}  // namespace

std::string zone_line(const DomainName& owner, std::uint32_t ttl, RecordType type,
                      std::span<const std::uint8_t> rdata, const std::string& comment) {
  return line_of(owner, ttl, type, rdata_to_text(type, rdata), comment);
}

std::string generic_zone_line(const DomainName& owner, std::uint32_t ttl, RecordType type,
                              std::span<const std::uint8_t> rdata, const std::string& comment) {
  return line_of(owner, ttl, type, generic_text(rdata), comment);
}

std::string comment_of(const Record& record) {
  std::vector<std::string> tags;
  if (is_proxiable(record.type)) {
    tags.push_back(record.proxied ? "cf-proxied:true" : "cf-proxied:false");
  }
  if (record.settings.flatten_cname) tags.push_back("cf-flatten-cname");
  for (const std::string& tag : record.tags) tags.push_back(tag_text(tag));
  std::string text = record.comment;
  if (tags.empty()) return text;
  if (!text.empty()) text += ' ';
  text += kMarker;
  for (std::size_t i = 0; i < tags.size(); ++i) text += (i == 0 ? "" : ",") + tags[i];
  return text;
}

ParsedComment parse_comment(std::string_view text) {
  ParsedComment parsed;
  const std::size_t marker = text.rfind(kMarker);
  parsed.comment = trim(text.substr(0, marker));
  if (marker == std::string_view::npos) return parsed;
  std::string_view list = trim(text.substr(marker + kMarker.size()));
  while (!list.empty()) {
    std::string tag = take_tag(list);
    if (tag == "cf-proxied:true" || tag == "cf-proxied:false") {
      parsed.proxied = tag.ends_with("true");
    } else if (tag == "cf-flatten-cname" || tag == "cf-flatten-cname:true") {
      parsed.flatten_cname = true;
    } else if (!tag.empty()) {
      parsed.tags.push_back(std::move(tag));
    }
  }
  return parsed;
}

}  // namespace brink::ctl::model
