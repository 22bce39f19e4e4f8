#!/usr/bin/env bash
# Shows that the checker notices when the fence at the nodes is gone (docs/decisions/0016-fencing-at-the-node.md): the same run, once with the program as it is, which
# has to hold, and once with a build in which nodes fence nobody off, which must not. Takes root. Arguments go to both runs, such as --seed 7.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

dotnet build tests/ImapDirector.ClusterRun -c Release --nologo -v quiet
dotnet build src/ImapDirector -c Release --nologo -v quiet --artifacts-path "$work/mutant" -p:DefineConstants=MUTANT_NO_FENCE
mutant=$work/mutant/bin/ImapDirector/release/imapdirector.dll
run() { dotnet exec tests/ImapDirector.ClusterRun/bin/Release/net10.0/ImapDirector.ClusterRun.dll stale "$@"; }

echo "== The program as it is"
run --seed 1 "$@"
echo "== A build with MUTANT_NO_FENCE"
if TMPDIR=$work run --seed 1 "$@" --program "$mutant" > "$work/report"; then
  cat "$work/report"
  echo "The mutant holds: the checker sees nothing."
  exit 1
fi
cat "$work/report"
grep -q '^overlaps, .* must be 0$' "$work/report" || { echo "The mutant fails, but not with a user at two nodes."; exit 1; }
echo "The mutant does not hold, as it should be."
