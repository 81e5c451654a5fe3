#include "dns/zone/zone_file.h"

#include <stdio_ext.h>

#include <cctype>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "dns/zone/generate.h"
#include "dns/zone/ldns_owner.h"
#include "dns/zone/plain_line.h"
#include "dns/zone/rdata_fault.h"
#include "dns/zone/text.h"
#include "dns/zone/zone_file_syntax.h"

namespace brink::dns::zone {
namespace {

constexpr std::size_t kNameMax = 255;  // RFC 1035 2.3.4

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

base::Error at_line(std::size_t line, const std::string& what, const std::string& remedy = "") {
  return {what, "line " + std::to_string(line), remedy};
}

// The text's lines, for comments and for what ldns does not tell.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    std::size_t start = 0;
    while (start <= text.size()) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      lines_.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }
  // Line `number`, from 1; empty past the end.
  [[nodiscard]] std::string_view at(std::size_t number) const {
    return number >= 1 && number <= lines_.size() ? lines_[number - 1] : std::string_view();
  }

 private:
  std::vector<std::string_view> lines_;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

// Splits a line at its first ';' outside quotes and escapes.
std::pair<std::string_view, std::string_view> split_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ';' && !quoted) {
      return {line.substr(0, i), trim(line.substr(i + 1))};
    }
  }
  return {line, {}};
}

// What stands between owner and data: a TTL, the class and the type (RFC 1035 5.1).
struct Head {
  bool states_ttl = false;
  std::string_view type;  // empty: the line has none
  std::string_view data;  // what stands behind it
};

Head head_of(std::string_view line) {
  line = split_comment(line).first;
  Head head;
  bool is_owner = !line.empty() && !std::isspace(static_cast<unsigned char>(line.front()));
  for (line = trim(line); !line.empty(); line = trim(line)) {
    std::size_t end = 0;
    while (end < line.size() && !std::isspace(static_cast<unsigned char>(line[end]))) ++end;
    const std::string_view field = line.substr(0, end);
    line.remove_prefix(end);
    if (std::exchange(is_owner, false)) continue;
    if (std::isdigit(static_cast<unsigned char>(field.front()))) {
      head.states_ttl = true;
    } else if (field != "IN" && field != "in") {
      head.type = field;
      head.data = line;
      break;
    }
  }
  return head;
}

// A zone file without $GENERATE.
struct Expanded {
  std::string text;
  std::vector<std::size_t> lines;  // for each of its lines, the line it comes from
};

// In text with a directive that stands for many records they stand in its place.
base::Result<Expanded> expand(std::string_view text) {
  Expanded out;
  std::size_t number = 0, generated = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    std::size_t count = 1;
    if (is_generate(line)) {
      const auto made = expand_generate(line, out.text);
      if (!made) return at_line(number, made.error().what, made.error().remedy);
      count = made.value();
      generated += count;
      if (generated > kGenerateMax) {
        return at_line(number,
                       "$GENERATE: more than " + std::to_string(kGenerateMax) + " records in all");
      }
    } else {
      out.text += line;
      out.text += '\n';
    }
    out.lines.insert(out.lines.end(), count, number);
  }
  return out;
}

class Parser {
 public:
  // `line_numbers`: of each line of `text`, the one to speak of; empty: its own.
  Parser(std::string_view text, const Wire& origin, std::uint32_t default_ttl,
         std::vector<std::size_t> line_numbers)
      : lines_(text),
        line_numbers_(std::move(line_numbers)),
        text_(text),
        origin_(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.size(), origin.data())),
        default_ttl_(default_ttl) {}
  ~Parser() {
    ldns_rdf_deep_free(origin_);
    ldns_rdf_deep_free(previous_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  using Take = std::function<base::Result<void>(const ZoneFileRecord&)>;
  base::Result<void> run(const Take& take);

 private:
  [[nodiscard]] bool take_plain_line();
  base::Result<void> read_by_ldns(std::FILE* file, const Take& take);
  void tell_previous_owner();
  base::Result<void> handle(ldns_rr* rr, std::size_t first_line, const Take& take);
  base::Result<void> give(const ZoneFileRecord& record, const Take& take) const;
  [[nodiscard]] std::string_view data_text(std::size_t first_line) const;
  [[nodiscard]] std::size_t record_line(std::size_t from) const;
  [[nodiscard]] base::Error refused(std::size_t line, ldns_status status) const;
  [[nodiscard]] std::size_t number_of(std::size_t line) const {
    return line >= 1 && line <= line_numbers_.size() ? line_numbers_[line - 1] : line;
  }

  Lines lines_;
  std::vector<std::size_t> line_numbers_;
  std::string_view text_;
  std::size_t at_ = 0;  // in text_: the next line
  ldns_rdf* origin_;
  ldns_rdf* previous_ = nullptr;
  std::uint32_t default_ttl_;
  int line_ = 1;          // ldns: the next line to read
  ZoneFileRecord plain_;  // of the plain line that was read last
  bool is_plain_previous_ = false;
};

// ldns skips blank and comment lines before a record.
std::size_t Parser::record_line(std::size_t from) const {
  const auto last = static_cast<std::size_t>(line_);
  while (from + 1 < last && trim(split_comment(lines_.at(from)).first).empty()) ++from;
  return from;
}

// The first line of a record's data that holds any.
std::string_view Parser::data_text(std::size_t first_line) const {
  std::string_view text = head_of(lines_.at(first_line)).data;
  const auto is_blank = [&] { return text.find_first_not_of(" \t\r(") == std::string_view::npos; };
  for (std::size_t at = first_line + 1; is_blank() && at < static_cast<std::size_t>(line_); ++at) {
    text = split_comment(lines_.at(at)).first;
  }
  return text;
}

base::Error Parser::refused(std::size_t line, ldns_status status) const {
  const bool is_directive = lines_.at(line).starts_with('$');
  const std::string_view type = head_of(lines_.at(line)).type;
  if (!is_directive && !type.empty() && !type_from_text(type)) {
    return at_line(number_of(line), "neither a class nor a type: " + shown_field(type),
                   "write a type as A or MX, or TYPE and its number with data as in RFC 3597");
  }
  return at_line(
      number_of(line),
      std::string(ldns_get_errorstr_by_id(status)) + ": " + shown_field(trim(lines_.at(line))),
      "use the form of RFC 1035 5.1: name [ttl] [class] type data");
}

base::Result<void> Parser::run(const Take& take) {
  if (text_.empty()) return {};
  if (text_.find('\0') != std::string_view::npos) {
    return base::Error{"a zone file contains no NUL", "", "give a text file"};
  }
  if (auto fault = syntax_fault(text_)) {
    return at_line(number_of(fault->line), fault->what, fault->remedy);
  }
  const std::unique_ptr<std::FILE, FileClose> file(
      ::fmemopen(const_cast<char*>(text_.data()), text_.size(), "r"));
  if (!file) return base::Error{"no memory to read the zone file", "", ""};
  ::__fsetlocking(file.get(), FSETLOCKING_BYCALLER);
  while (at_ < text_.size()) {
    auto taken = take_plain_line() ? give(plain_, take) : read_by_ldns(file.get(), take);
    if (!taken) return taken;
  }
  return {};
}

bool Parser::take_plain_line() {
  if (at_ != 0 && text_[at_ - 1] != '\n') return false;
  const std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
  const std::string_view origin(reinterpret_cast<const char*>(ldns_rdf_data(origin_)),
                                ldns_rdf_size(origin_));
  if (!read_plain_line(line, origin, plain_.record)) return false;
  plain_.line = number_of(static_cast<std::size_t>(line_));
  const std::size_t comment = line.find(';');
  plain_.comment =
      comment == std::string_view::npos ? std::string_view() : trim(line.substr(comment + 1));
  plain_.ttl_given = true;
  is_plain_previous_ = true;
  at_ += line.size() + 1;
  ++line_;
  return true;
}

// What a line without an owner belongs to.
void Parser::tell_previous_owner() {
  if (!std::exchange(is_plain_previous_, false)) return;
  const Wire& owner = plain_.record.owner;
  ldns_rdf_deep_free(previous_);
  previous_ = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, owner.size(), owner.data());
}

// Reads up to the end of a record or directive.
base::Result<void> Parser::read_by_ldns(std::FILE* file, const Take& take) {
  if (is_plain_previous_) std::fseek(file, static_cast<long>(at_), SEEK_SET);
  tell_previous_owner();
  const auto first = static_cast<std::size_t>(line_);
  ldns_rr* raw = nullptr;
  const ldns_status status =
      ldns_rr_new_frm_fp_l(&raw, file, &default_ttl_, &origin_, &previous_, &line_);
  const Rr rr(raw);
  at_ = std::feof(file) != 0 ? text_.size() : static_cast<std::size_t>(std::ftell(file));
  switch (static_cast<int>(status)) {
    case LDNS_STATUS_OK:
      return handle(rr.get(), first, take);
    case LDNS_STATUS_SYNTAX_EMPTY:
    case LDNS_STATUS_SYNTAX_TTL:
    case LDNS_STATUS_SYNTAX_ORIGIN:
      return {};
    default:
      return refused(record_line(first), status);
  }
}

base::Result<void> Parser::handle(ldns_rr* rr, std::size_t first_line, const Take& take) {
  ZoneFileRecord out;
  const std::size_t line = record_line(first_line);
  out.line = number_of(line);
  if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
    return at_line(out.line, "class other than IN", "only Internet records are served");
  }
  if (const char* fault = rdata_fault(rr, data_text(line))) {
    return at_line(out.line, "not valid record data: " + std::string(fault),
                   "use the form of RFC 1035 5.1: name [ttl] [class] type data");
  }
  out.record.owner = wire_of(ldns_rr_owner(rr));
  // ldns does not look when it puts a relative name and the origin together.
  if (out.record.owner.size() > kNameMax) {
    return at_line(out.line, "a name of more than 255 octets: " + shown_field(lines_.at(line)),
                   "shorten it, or end it with a dot if it is the whole name");
  }
  out.record.type = static_cast<std::uint16_t>(ldns_rr_get_type(rr));
  out.record.ttl = ldns_rr_ttl(rr);
  out.record.rdata = rdata_of(rr);
  out.comment = split_comment(lines_.at(static_cast<std::size_t>(line_) - 1)).second;
  out.ttl_given = head_of(lines_.at(line)).states_ttl;
  return give(out, take);
}

base::Result<void> Parser::give(const ZoneFileRecord& record, const Take& take) const {
  auto taken = take(record);
  if (taken) return taken;
  base::Error error = taken.error();
  error.where =
      "line " + std::to_string(record.line) + (error.where.empty() ? "" : ", " + error.where);
  return error;
}

}  // namespace

base::Result<void> parse_zone_file(
    std::string_view text, const Wire& origin, std::uint32_t default_ttl,
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take) {
  // What comes from outside may be large, and hardly ever needs the copy.
  const bool may_generate =
      text.find("$GEN") != std::string_view::npos || text.find("$gen") != std::string_view::npos;
  if (!may_generate) {
    return Parser(text, origin, default_ttl, {}).run(take);
  }
  auto expanded = expand(text);
  if (!expanded) return expanded.error();
  return Parser(expanded.value().text, origin, default_ttl, std::move(expanded.value().lines))
      .run(take);
}

}  // namespace brink::dns::zone
