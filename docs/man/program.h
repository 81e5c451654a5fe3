// The manual pages of a program that runs for long, and of its settings file, from its options.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>

namespace brink::manual {

struct Program {
  std::string name;         // "brink-edge"
  std::string summary;      // of the program
  std::string description;  // likewise
  std::string arguments;    // of the command line
  std::string signals;
  std::string file;         // where its settings file is installed
  std::string file_format;  // sentences
  std::string example;      // a few lines of such a file
  boost::program_options::options_description general;
  boost::program_options::options_description settings;
};

std::string program_page(const Program& program);
std::string settings_page(const Program& program);

Program brink_control();
Program brink_edge();

}  // namespace brink::manual
