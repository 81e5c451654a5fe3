#include "docs/man/page.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <sstream>

#include "docs/man/version.h"

namespace brink::manual {
namespace {

std::string date() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t seconds = epoch == nullptr ? std::time(nullptr) : std::atoll(epoch);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&seconds));
  return text;
}

// What roff would take for its own; `is_code`: a hyphen is the character that people type.
std::string escaped(const std::string& text, bool is_code) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-' && is_code) {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// One input line: a dot or quote at its start would be a request.
std::string line_of(const std::string& text, bool is_code) {
  const std::string line = escaped(text, is_code);
  return (line.starts_with('.') || line.starts_with('\'') ? "\\&" : "") + line + "\n";
}

// A new line behind each sentence, as roff wants it; line breaks of the source are blanks.
std::string sentences(const std::string& text) {
  std::istringstream words(text);
  std::string out, line;
  for (std::string word; words >> word;) {
    line += (line.empty() ? "" : " ") + word;
    if (word.ends_with('.') || line.size() > 70) {
      out += line_of(line, false);
      line.clear();
    }
  }
  return line.empty() ? out : out + line_of(line, false);
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

Page::Page(const std::string& name, int section_number, const std::string& summary) {
  text_ = ".TH " + upper(escaped(name, true)) + " " + std::to_string(section_number) + " " +
          date() + " \"Brink " + kVersion + "\" Brink\n.SH NAME\n" + escaped(name, true) + " \\- " +
          summary + "\n";
}

void Page::section(const std::string& title) {
  text_ += ".SH " + title + "\n";
  below_heading_ = true;
}

void Page::subsection(const std::string& title) {
  text_ += ".SS " + line_of(title, true);
  below_heading_ = true;
}

void Page::paragraph(const std::string& text) {
  if (!below_heading_) text_ += ".PP\n";
  below_heading_ = false;
  text_ += sentences(text);
}

void Page::item(const std::string& head, const std::string& text) {
  below_heading_ = false;
  text_ += ".TP\n\\fB" + escaped(head, true) + "\\fR\n" + sentences(text);
}

void Page::lines(const std::string& text) {
  text_ += ".PP\n.nf\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) text_ += line_of(line, true);
  text_ += ".fi\n";
}

}  // namespace brink::manual
