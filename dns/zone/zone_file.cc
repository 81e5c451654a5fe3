#include "dns/zone/zone_file.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "dns/zone/generate.h"
#include "dns/zone/plain_line.h"
#include "dns/zone/text.h"
#include "dns/zone/ttl_text.h"
#include "dns/zone/zone_file_entry.h"

namespace brink::dns::zone {
namespace {

base::Error at_line(std::size_t line, const std::string& what, const std::string& remedy = "") {
  return {what, "line " + std::to_string(line), remedy};
}

bool is_same(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

// No class and no type begins like this.
bool begins_number(std::string_view field) {
  const char first = field.front();
  return (first >= '0' && first <= '9') || first == '-' || first == '+';
}

bool is_internet(std::string_view field) {
  return is_same(field, "IN") || is_same(field, "CLASS1");
}

bool is_class(std::string_view field) {
  return is_internet(field) || is_same(field, "CH") || is_same(field, "HS") ||
         is_same(field, "NONE") || is_same(field, "ANY") ||
         (field.size() > 5 && is_same(field.substr(0, 5), "CLASS"));
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
  Parser(std::string_view text, Wire origin, std::uint32_t default_ttl,
         std::vector<std::size_t> line_numbers)
      : text_(text),
        reader_(text),
        line_numbers_(std::move(line_numbers)),
        origin_(std::move(origin)),
        default_ttl_(default_ttl) {}

  using Take = std::function<base::Result<void>(const ZoneFileRecord&)>;
  base::Result<void> run(const Take& take);

 private:
  // What stands between owner and data, in any order but the type (RFC 1035 5.1).
  struct Head {
    std::optional<std::uint32_t> ttl;
    std::uint16_t type = 0;
    std::size_t end = 0;  // the field behind it
  };

  [[nodiscard]] bool take_plain_line();
  base::Result<void> handle(const Take& take);
  base::Result<void> handle_directive();
  base::Result<void> read_owner();
  [[nodiscard]] base::Result<Head> read_head() const;
  [[nodiscard]] std::string data_text(std::size_t first) const;
  static base::Result<void> give(const ZoneFileRecord& record, const Take& take);

  [[nodiscard]] std::size_t number_of(std::size_t line) const {
    return line >= 1 && line <= line_numbers_.size() ? line_numbers_[line - 1] : line;
  }
  [[nodiscard]] base::Error bad(const std::string& what, const std::string& remedy) const {
    return at_line(number_of(entry_.line), what, remedy);
  }
  // Shows the line that the entry begins with.
  [[nodiscard]] base::Error bad_entry(const std::string& what) const {
    return bad(what + ": " + shown_field(entry_.first_line),
               "use the form of RFC 1035 5.1: name [ttl] [class] type data");
  }
  [[nodiscard]] base::Error bad_ttl(std::string_view field) const {
    return bad("not a TTL: " + shown_field(field),
               "write seconds, from 0 to 2147483647, or units as in 1h30m");
  }

  std::string_view text_;
  EntryReader reader_;
  std::vector<std::size_t> line_numbers_;
  Wire origin_;
  std::uint32_t default_ttl_;
  Entry entry_;            // that was read last
  ZoneFileRecord record_;  // its owner is that of lines without one
};

base::Result<void> Parser::run(const Take& take) {
  if (text_.find('\0') != std::string_view::npos) {
    return base::Error{"a zone file contains no NUL", "", "give a text file"};
  }
  record_.record.owner = origin_;
  while (!reader_.at_end()) {
    if (take_plain_line()) {
      if (auto taken = give(record_, take); !taken) return taken;
      continue;
    }
    if (const auto fault = reader_.next(entry_)) {
      return at_line(number_of(fault->line), fault->what, fault->remedy);
    }
    if (entry_.fields.empty()) continue;
    const bool is_directive = entry_.has_owner && entry_.fields.front().front() == '$';
    if (auto handled = is_directive ? handle_directive() : handle(take); !handled) return handled;
  }
  return {};
}

bool Parser::take_plain_line() {
  const std::string_view line = reader_.peek_line();
  // What it has read is the owner of the lines behind it, so it must not be lost when it gives up.
  ResourceRecord plain;
  if (!read_plain_line(line, origin_, plain)) return false;
  record_.record = std::move(plain);
  record_.line = number_of(reader_.line());
  const std::size_t comment = line.find(';');
  record_.comment =
      comment == std::string_view::npos ? std::string_view() : trimmed(line.substr(comment + 1));
  record_.ttl_given = true;
  reader_.skip_line();
  return true;
}

base::Result<void> Parser::handle_directive() {
  const auto& fields = entry_.fields;
  const std::string name(fields.front());
  if (is_same(name, "$INCLUDE")) {
    return bad("$INCLUDE directive not allowed", "put the records into one file");
  }
  if (name != "$TTL" && name != "$ORIGIN") {
    return bad("unknown directive " + shown_field(name),
               "there are $ORIGIN, $TTL and $GENERATE; write \\$ for a name that starts so");
  }
  if (fields.size() > 2) {
    return bad("more than one value behind a directive: " + shown_field(fields[2]),
               "put a comment behind a \";\"");
  }
  if (name == "$TTL") {
    if (fields.size() < 2) return bad("$TTL without a TTL", "write $TTL seconds");
    const auto ttl = ttl_from_text(fields[1]);
    if (!ttl) return bad_ttl(fields[1]);
    default_ttl_ = *ttl;
    return {};
  }
  if (fields.size() < 2) return bad("$ORIGIN without a name", "write $ORIGIN name.");
  auto origin = name_from_text(fields[1], origin_);
  if (!origin) return bad_entry(origin.error().what);
  origin_ = std::move(origin).value();
  return {};
}

base::Result<void> Parser::handle(const Take& take) {
  if (auto owner = read_owner(); !owner) return owner;
  const auto head = read_head();
  if (!head) return head.error();
  auto rdata = rdata_from_fields(head.value().type, data_text(head.value().end), origin_);
  if (!rdata) return bad_entry(rdata.error().what);
  record_.record.type = head.value().type;
  record_.record.ttl = head.value().ttl.value_or(default_ttl_);
  record_.record.rdata = std::move(rdata).value();
  record_.line = number_of(entry_.line);
  record_.comment = entry_.comment;
  record_.ttl_given = head.value().ttl.has_value();
  return give(record_, take);
}

// A line without an owner belongs to that of the line before it.
base::Result<void> Parser::read_owner() {
  if (!entry_.has_owner) return {};
  auto owner = name_from_text(entry_.fields.front(), origin_);
  if (!owner) return bad_entry(owner.error().what);
  record_.record.owner = std::move(owner).value();
  return {};
}

base::Result<Parser::Head> Parser::read_head() const {
  Head head;
  bool has_class = false;
  for (head.end = entry_.has_owner ? 1 : 0; head.end < entry_.fields.size(); ++head.end) {
    const std::string_view field = entry_.fields[head.end];
    if (!head.ttl && begins_number(field)) {
      head.ttl = ttl_from_text(field);
      if (!head.ttl) return bad_ttl(field);
    } else if (!has_class && is_class(field)) {
      if (!is_internet(field)) {
        return bad("class other than IN: " + shown_field(field),
                   "only Internet records are served");
      }
      has_class = true;
    } else {
      const auto type = type_from_text(field);
      if (!type) {
        return bad("neither a class nor a type: " + shown_field(field),
                   "write a type as A or MX, or TYPE and its number with data as in RFC 3597");
      }
      head.type = *type;
      ++head.end;
      return head;
    }
  }
  return bad_entry("no type");
}

std::string Parser::data_text(std::size_t first) const {
  std::string text;
  for (std::size_t at = first; at < entry_.fields.size(); ++at) {
    if (at != first) text += ' ';
    text += entry_.fields[at];
  }
  return text;
}

base::Result<void> Parser::give(const ZoneFileRecord& record, const Take& take) {
  auto taken = take(record);
  if (taken) return taken;
  return at_record(record, taken.error());
}

}  // namespace

base::Error at_record(const ZoneFileRecord& record, base::Error error) {
  error.where =
      "line " + std::to_string(record.line) + (error.where.empty() ? "" : ", " + error.where);
  return error;
}

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
