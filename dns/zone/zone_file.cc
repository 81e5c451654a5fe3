#include "dns/zone/zone_file.h"

#include <cctype>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "dns/zone/generate.h"
#include "dns/zone/ldns_owner.h"
#include "dns/zone/rdata_fault.h"

namespace brink::dns::zone {
namespace {

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

// A TTL stands between owner and type, before or behind the class (RFC 1035 5.1).
bool states_ttl(std::string_view line) {
  line = split_comment(line).first;
  bool is_owner = !line.empty() && !std::isspace(static_cast<unsigned char>(line.front()));
  for (line = trim(line); !line.empty(); line = trim(line)) {
    std::size_t end = 0;
    while (end < line.size() && !std::isspace(static_cast<unsigned char>(line[end]))) ++end;
    const std::string_view field = line.substr(0, end);
    line.remove_prefix(end);
    if (std::exchange(is_owner, false)) continue;
    if (std::isdigit(static_cast<unsigned char>(field.front()))) return true;
    if (field != "IN" && field != "in") return false;
  }
  return false;
}

// What stands behind the type on a record's first line.
std::string_view behind_type(std::string_view line) {
  line = split_comment(line).first;
  bool is_owner = !line.empty() && !std::isspace(static_cast<unsigned char>(line.front()));
  for (line = trim(line); !line.empty(); line = trim(line)) {
    const std::string_view field = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(field.size());
    if (std::exchange(is_owner, false)) continue;
    const bool is_ttl = std::isdigit(static_cast<unsigned char>(field.front())) != 0;
    if (!is_ttl && field != "IN" && field != "in") return line;
  }
  return line;
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

  base::Result<void> run(const std::function<base::Result<void>(const ZoneFileRecord&)>& take);

 private:
  base::Result<void> handle(ldns_rr* rr, std::size_t first_line,
                            const std::function<base::Result<void>(const ZoneFileRecord&)>& take);
  [[nodiscard]] std::string_view data_text(std::size_t first_line) const;
  [[nodiscard]] std::size_t record_line(std::size_t from) const;
  [[nodiscard]] std::size_t number_of(std::size_t line) const {
    return line >= 1 && line <= line_numbers_.size() ? line_numbers_[line - 1] : line;
  }

  Lines lines_;
  std::vector<std::size_t> line_numbers_;
  std::string_view text_;
  ldns_rdf* origin_;
  ldns_rdf* previous_ = nullptr;
  std::uint32_t default_ttl_;
  int line_ = 1;  // ldns: the next line to read
};

// ldns skips blank and comment lines before a record.
std::size_t Parser::record_line(std::size_t from) const {
  const auto last = static_cast<std::size_t>(line_);
  while (from + 1 < last && trim(split_comment(lines_.at(from)).first).empty()) ++from;
  return from;
}

// The first line of a record's data that holds any.
std::string_view Parser::data_text(std::size_t first_line) const {
  std::string_view text = behind_type(lines_.at(first_line));
  const auto is_blank = [&] { return text.find_first_not_of(" \t\r(") == std::string_view::npos; };
  for (std::size_t at = first_line + 1; is_blank() && at < static_cast<std::size_t>(line_); ++at) {
    text = split_comment(lines_.at(at)).first;
  }
  return text;
}

base::Result<void> Parser::run(
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take) {
  if (text_.empty()) return {};
  if (text_.find('\0') != std::string_view::npos) {
    return base::Error{"a zone file contains no NUL", "", "give a text file"};
  }
  const std::unique_ptr<std::FILE, FileClose> file(
      ::fmemopen(const_cast<char*>(text_.data()), text_.size(), "r"));
  if (!file) return base::Error{"no memory to read the zone file", "", ""};
  while (std::feof(file.get()) == 0) {
    const auto first = static_cast<std::size_t>(line_);
    ldns_rr* raw = nullptr;
    const ldns_status status =
        ldns_rr_new_frm_fp_l(&raw, file.get(), &default_ttl_, &origin_, &previous_, &line_);
    const Rr rr(raw);
    switch (static_cast<int>(status)) {
      case LDNS_STATUS_OK:
        if (auto taken = handle(rr.get(), first, take); !taken) return taken;
        break;
      case LDNS_STATUS_SYNTAX_EMPTY:
      case LDNS_STATUS_SYNTAX_TTL:
      case LDNS_STATUS_SYNTAX_ORIGIN:
        break;
      case LDNS_STATUS_SYNTAX_INCLUDE:
        return at_line(number_of(record_line(first)), "$INCLUDE directive not allowed",
                       "put the records into one file");
      default:
        return at_line(number_of(record_line(first)), ldns_get_errorstr_by_id(status),
                       "use the form of RFC 1035 5.1: name [ttl] [class] type data");
    }
  }
  return {};
}

base::Result<void> Parser::handle(
    ldns_rr* rr, std::size_t first_line,
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take) {
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
  out.record.type = static_cast<std::uint16_t>(ldns_rr_get_type(rr));
  out.record.ttl = ldns_rr_ttl(rr);
  out.record.rdata = rdata_of(rr);
  out.comment = split_comment(lines_.at(static_cast<std::size_t>(line_) - 1)).second;
  out.ttl_given = states_ttl(lines_.at(line));
  auto taken = take(out);
  if (taken) return taken;
  base::Error error = taken.error();
  error.where =
      "line " + std::to_string(out.line) + (error.where.empty() ? "" : ", " + error.where);
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
