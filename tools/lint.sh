#!/usr/bin/env bash
# Checks what a reader would have to: format, clang-tidy's list that gates, edges between modules, house rules of text.
# Usage: lint.sh [--last N]. With --last, clang-tidy looks only at files that the last N commits changed; where the history is shorter, at all.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
since=
if [ "${1:-}" = --last ]; then since=$(git rev-parse --quiet --verify "HEAD~$2" || true); fi
step() { printf '%-28s' "$1"; shift; if output=$("$@" 2>&1); then echo ok; else echo FAILED; printf '%s\n' "$output"; status=1; fi; }

format() { git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run --Werror; }
edges() { tools/check_edges.py; }
shells() { git ls-files '*.sh' .ci/run | xargs -n1 bash -n; }
names() {
  ! git ls-files src | grep -E '(^|/)[^/]*(util|helper|common|misc|manager)[^/]*$'
}
words() {
  ! git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' -- src tests interop bench sql docs
}
sleeps() {  # A sleep in a test is a defect.
  ! git grep -nE 'sleep_for|sleep_until|usleep\(' -- 'src/*.cc' 'src/*.h' 'tests/*.cc'
}
sources() {
  if [ -n "$since" ]; then
    git diff --name-only --diff-filter=d "$since" -- 'src/*.cc' 'tests/*.cc' 'bench/*.cc'
  else
    git ls-files 'src/*.cc' 'tests/*.cc' 'bench/*.cc'
  fi
}
tidy() {
  # Each file once per content: a file is skipped when it, its flags and every header of ours are as they were at its last success.
  local cache=build/tidy state
  mkdir -p $cache
  state=$(cat .clang-tidy $(git ls-files 'src/*.h') | sha256sum | cut -d' ' -f1)
  sources | { grep -vE '_(fuzz|test|bench).cc$|/(tests|bench|testing)/' || true; } |
    xargs -r -P "$(nproc)" -I{} bash -c '
      key=$(cat {} <(echo '"$state"') | sha256sum | cut -d" " -f1)
      [ -e '$cache'/$key ] && exit 0
      clang-tidy-19 -p build/dev --quiet {} 2>/dev/null >'$cache'/$key.log && touch '$cache'/$key && rm '$cache'/$key.log && exit 0
      cat '$cache'/$key.log; rm -f '$cache'/$key.log; exit 1'
}
step "format" format
step "edges between modules" edges
step "shell syntax" shells
step "names of files" names
step "unfinished words" words
step "no sleeps" sleeps
step "clang-tidy" tidy
exit $status
