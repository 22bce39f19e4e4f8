#!/usr/bin/env bash
# Fuzzes with coverage (SharpFuzz and AFL++): run.sh [SECONDS PER TARGET] [TARGET...]. Without targets all of them, one after the other; a part of a name names all that have it.
# Needs afl-fuzz (apt install afl++) and redis-server. FUZZ_DIRECTORY is where everything is kept: with the same one an interrupted run goes on where it was, targets that have had
# their time are passed over, and with more seconds each goes on from what it has found (another version of the code wants another directory). Without it a directory is made, and goes when nothing was found. The table is in
# summary.txt there; an input that fails a check ends it with 1.
set -euo pipefail
seconds=${1:-60}
[ $# = 0 ] || shift
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is not here: apt install afl++"; exit 69; }
command -v redis-server >/dev/null || { echo "redis-server is not here: apt install redis-server"; exit 69; }

here=$(cd "$(dirname "$0")" && pwd)
work=${FUZZ_DIRECTORY:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
plain="$work/plain/ImapDirector.CoverageFuzz"
program="$work/program/ImapDirector.CoverageFuzz"
if [ ! -e "$work/built" ]; then
  rm -rf "$work/tools" "$work/plain" "$work/program"
  dotnet tool install --tool-path "$work/tools" SharpFuzz.CommandLine --version 2.3.0 >/dev/null
  dotnet publish "$here" -c Release -o "$work/plain" --nologo -v quiet
  cp -r "$work/plain" "$work/program"
  for assembly in Protocol Network Storage Director; do "$work/tools/sharpfuzz" "$work/program/ImapDirector.$assembly.dll"; done
  touch "$work/built"
fi

# One Redis for all: what afl-fuzz kills could not stop its own.
port=${FUZZ_REDIS_PORT:-16399}
redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
redis=$!
trap 'kill "$redis" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
export FUZZ_REDIS="127.0.0.1:$port"
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
kill -0 "$redis" 2>/dev/null || { echo "redis-server did not start on port $port: see $work/redis.log, or set FUZZ_REDIS_PORT"; exit 69; }

mapfile -t known < <("$plain")
targets=()
for target in "${known[@]}"; do
  [ $# != 0 ] || targets+=("$target")
  for wanted in "$@"; do
    case $target in *"$wanted"*) targets+=("$target"); break ;; esac
  done
done
[ "${#targets[@]}" != 0 ] || { echo "There is no such target. These are: ${known[*]}"; exit 64; }

export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FORKSRV_INIT_TMOUT=60000 AFL_AUTORESUME=1 DOTNET_TieredPGO=0 DOTNET_gcServer=0
statistic() { sed -n "s/^$2 *: //p" "$1"; }
line='%-120s %7s %11s %8s %7s %15s %9s %8s %6s\n'
summarize() {
  # shellcheck disable=SC2059
  printf "$line" target seconds executions per_s inputs edges/map stability crashes hangs
  local target
  for target in "${known[@]}"; do
    local stats="$work/found/$target/default/fuzzer_stats"
    [ -f "$stats" ] || continue
    # shellcheck disable=SC2059
    printf "$line" "$target" "$(statistic "$stats" run_time)" "$(statistic "$stats" execs_done)" "$(statistic "$stats" execs_per_sec)" "$(statistic "$stats" corpus_count)" \
      "$(statistic "$stats" edges_found)/$(statistic "$stats" total_edges)" "$(statistic "$stats" stability)" "$(statistic "$stats" saved_crashes)" "$(statistic "$stats" saved_hangs)"
  done
}
for target in "${targets[@]}"; do
  out="$work/found/$target"
  stats="$out/default/fuzzer_stats"
  had=0
  [ ! -f "$stats" ] || had=$(statistic "$stats" run_time)
  left=$((seconds - had))
  # A start takes some seconds of its own.
  [ "$left" -gt 2 ] || continue
  mkdir -p "$out" "$work/corpus/$target"
  [ -e "$work/corpus/$target.dict" ] || "$plain" "$target" "$work/corpus/$target" "$work/corpus/$target.dict"
  afl-fuzz -i "$work/corpus/$target" -o "$out" -x "$work/corpus/$target.dict" -V "$left" -t 5000 -m none "$program" "$target" >>"$out/log" 2>&1 || true
  [ -f "$stats" ] || { echo "$target could not be fuzzed:"; tail -20 "$out/log"; exit 70; }
  summarize >"$work/summary.txt"
done
summarize | tee "$work/summary.txt"
if ls "$work"/found/*/default/crashes/id* "$work"/found/*/default/hangs/id* >/dev/null 2>&1; then
  echo "The inputs are in $work/found, under default/crashes and default/hangs."
  exit 1
fi
[ -n "${FUZZ_DIRECTORY:-}" ] || rm -rf "$work"
