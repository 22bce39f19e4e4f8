#!/usr/bin/env bash
# Fuzzes with coverage (SharpFuzz and AFL++): run.sh [SECONDS PER TARGET] [TARGET...]. Without targets all of them, one after the other.
# Needs afl-fuzz (apt install afl++). What it found stays in the directory that it names at the end; an input that fails a check ends it with 1.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# = 0 ] || shift
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is not here: apt install afl++"; exit 69; }

work=$(mktemp -d)
dotnet tool install --tool-path "$work/tools" SharpFuzz.CommandLine --version 2.3.0 >/dev/null
dotnet publish -c Release -o "$work/program" --nologo -v quiet
program="$work/program/ImapDirector.CoverageFuzz"
[ $# != 0 ] || mapfile -t targets < <("$program")
[ $# = 0 ] || targets=("$@")
for target in "${targets[@]}"; do
  mkdir -p "$work/corpus/$target"
  "$program" "$target" "$work/corpus/$target"
done
for assembly in Protocol Storage; do "$work/tools/sharpfuzz" "$work/program/ImapDirector.$assembly.dll"; done

export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 DOTNET_TieredPGO=0 DOTNET_gcServer=0
crashes=0
printf '%-100s %10s %8s %8s %8s\n' target runs inputs edges failures
for target in "${targets[@]}"; do
  out="$work/found/$target"
  mkdir -p "$out"
  afl-fuzz -i "$work/corpus/$target" -o "$out" -V "$seconds" -t 5000 -m none "$program" "$target" >"$out/log" 2>&1 || true
  stats="$out/default/fuzzer_stats"
  [ -f "$stats" ] || { echo "$target could not be fuzzed:"; tail -20 "$out/log"; exit 70; }
  stat() { sed -n "s/^$1 *: //p" "$stats"; }
  failures=$(($(stat saved_crashes) + $(stat saved_hangs)))
  crashes=$((crashes + failures))
  printf '%-100s %10s %8s %8s %8s\n' "$target" "$(stat execs_done)" "$(stat corpus_count)" "$(stat edges_found)" "$failures"
done
if [ "$crashes" = 0 ]; then
  rm -rf "$work"
else
  echo "The inputs are in $work/found, under default/crashes and default/hangs."
  exit 1
fi
