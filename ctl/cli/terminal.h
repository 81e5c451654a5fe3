// What brinkctl may assume of whoever runs it.
#pragma once

#include <string>

namespace brink::ctl::cli {

// Somebody can be asked and answer.
bool has_terminal();
// Standard output is a terminal that wants colours (no NO_COLOR in the environment).
bool wants_colour();

// Asks until the answer is one of `answers`, as "yn"; a bare return is the first one, and so is the
// end of the input the last one.
char ask(const std::string& question, const std::string& answers);

// Lets the user write on `text` in $VISUAL, $EDITOR or the first of editor, nano and vi that is
// there. The text lies meanwhile in a file of mode 0600, named in `suffix`, which is gone
// afterwards, unless the editor fails and has written into it. Throws Stop.
std::string edit_text(const std::string& text, const std::string& suffix);

// Puts the text into such a file, which stays; returns its path. Throws Stop.
std::string keep_text(const std::string& text, const std::string& suffix);

}  // namespace brink::ctl::cli
