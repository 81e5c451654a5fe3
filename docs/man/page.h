// Page: a manual page in the macros of man(7), built from plain text.
#pragma once

#include <string>

namespace brink::manual {

class Page {
 public:
  // "brinkctl", 1, "the operator's tool". The date is that of SOURCE_DATE_EPOCH, else today.
  Page(const std::string& name, int section, const std::string& summary);

  void section(const std::string& title);
  void subsection(const std::string& title);
  void paragraph(const std::string& text);
  // What `head` is, indented below it. `head` is bold.
  void item(const std::string& head, const std::string& text);
  // Lines that stay as they are.
  void lines(const std::string& text);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool below_heading_ = false;
};

}  // namespace brink::manual
