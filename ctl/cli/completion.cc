// brinkctl completion ...: the shells' scripts know nothing themselves; they ask brinkctl.
#include "ctl/cli/complete.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

constexpr char kBash[] = R"(# bash completion of brinkctl: source <(brinkctl completion bash)
_brinkctl() {
  local -a words answer
  local line=${COMP_LINE:0:COMP_POINT} text
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  mapfile -t answer < <("${words[0]}" completion words -- "${words[@]:1}" 2>/dev/null)
  # bash takes what stands before "=" for a word of its own.
  local before=''
  [[ ${words[-1]} == --*=* ]] && before=${words[-1]%%=*}=
  COMPREPLY=()
  for text in "${answer[@]}"; do
    if [[ $text == :files ]]; then
      compopt -o default
    else
      text=${text%%$'\t'*}
      COMPREPLY+=("${text#"$before"}")
    fi
  done
}
complete -F _brinkctl brinkctl
)";

constexpr char kZsh[] = R"(#compdef brinkctl
# zsh completion of brinkctl: source <(brinkctl completion zsh), or a file _brinkctl in fpath
_brinkctl() {
  local -a answer candidates
  local line text
  answer=("${(@f)$("${words[1]}" completion words -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  for line in "${answer[@]}"; do
    [[ -n $line ]] || continue
    if [[ $line == :files ]]; then
      _files
      return
    fi
    text=${line%%$'\t'*}
    candidates+=("${text//:/\\:}:${line#*$'\t'}")
  done
  _describe -V brinkctl candidates
}
if [[ ${funcstack[1]} == _brinkctl ]]; then
  _brinkctl "$@"
elif (( $+functions[compdef] )); then
  compdef _brinkctl brinkctl
fi
)";

void bash(Session&, const Arguments&) {
  print(kBash);
}

void zsh(Session&, const Arguments&) {
  print(kZsh);
}

void words(Session& session, const Arguments& arguments) {
  const Completion completion = complete(arguments.positional, server_names);
  if (session.json()) {
    Json json = Json::array();
    for (const Candidate& each : completion.candidates) json.push_back(each.text);
    return print_json(json);
  }
  for (const Candidate& each : completion.candidates) {
    print(each.text + "\t" + each.description.substr(0, each.description.find('\n')) + "\n");
  }
  if (completion.files) print(":files\n");
}

}  // namespace

const std::vector<Command>& completion_commands() {
  static const std::vector<Command> kCommands = {
      {"completion",
       "bash",
       "",
       0,
       0,
       "Prints the completion for bash.\n"
       "Put source <(brinkctl completion bash) into ~/.bashrc.",
       {},
       bash},
      {"completion",
       "zsh",
       "",
       0,
       0,
       "Prints the completion for zsh.\n"
       "Put source <(brinkctl completion zsh) into ~/.zshrc, behind compinit.",
       {},
       zsh},
      {"completion",
       "words",
       "[WORD]...",
       0,
       1000,
       "What the last of these words can become; what the shells' completion asks.\n"
       "Put -- before the words. One candidate a line, behind a tab what it is; the line :files "
       "asks\n"
       "for a path. Names come from the server; where it does not answer within two seconds there\n"
       "are none.",
       {},
       words},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
