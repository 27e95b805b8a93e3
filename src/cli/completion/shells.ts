import type { Suggestion } from './suggestion.js';

/**
 * A shell: the script that it reads once, and a suggestion in its notation. The script calls `satin` as it was typed, since a
 * checkout is called `./satin`; where there is nothing to suggest, the shell's own completion of file names takes over.
 */
interface Shell {
  readonly script: string;
  /** How to read the script, in every new shell. */
  readonly use: (satin: string) => string;
  readonly line: (suggestion: Suggestion) => string;
}

const zshText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');

export const shellNames = ['bash', 'zsh', 'fish'] as const;

export const shells: Readonly<Record<(typeof shellNames)[number], Shell>> = {
  bash: {
    use: (satin) => `echo 'source <(${satin} completion bash)' >> ~/.bashrc`,
    line: ({ value }) => value,
    // What bash replaces begins after the last = or : of a word, if these are among its word breaks.
    script: `# bash completion of satin
_satin() {
  local line=\${COMP_LINE:0:COMP_POINT} program=\${COMP_WORDS[0]/#\\~/$HOME} word known= suggestion
  word=\${line##*[[:space:]]}
  [[ $COMP_WORDBREAKS == *=* && $COMP_WORDBREAKS == *:* ]] && known=\${word%"\${word##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r suggestion; do
    COMPREPLY+=("\${suggestion#"$known"}")
    [[ $suggestion == *= ]] && compopt -o nospace 2>/dev/null
  done < <("$program" completion bash -- "$line" 2>/dev/null)
}
complete -o default -F _satin satin
`,
  },
  zsh: {
    use: (satin) => `echo 'source <(${satin} completion zsh)' >> ~/.zshrc`,
    line: ({ value, about }) => zshText(value) + (about === undefined ? '' : `:${zshText(about)}`),
    script: `#compdef satin
_satin() {
  local program=\${\${(Q)words[1]}/#\\~/$HOME}
  local -a found open closed
  found=("\${(@f)$("$program" completion zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  (( \${#found} )) || { _files; return; }
  open=(\${(M)found:#[^:]#=(|:*)}) closed=(\${found:#[^:]#=(|:*)})
  (( \${#closed} )) && _describe -t words satin closed
  (( \${#open} )) && _describe -t settings setting open -S ''
}
if [[ \${funcstack[1]} == _satin ]]; then _satin; else compdef _satin satin; fi
`,
  },
  fish: {
    use: (satin) => `${satin} completion fish > ~/.config/fish/completions/satin.fish`,
    line: ({ value, about }) => value + (about === undefined ? '' : `\t${about}`),
    script: `# fish completion of satin
function __satin_suggest
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  set -l found ($words[1] completion fish -- $words[2..-1] "$typed" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$typed"
  end
end
complete -c satin -f -a '(__satin_suggest)'
`,
  },
};
