#!/usr/bin/env bash
# Builds everything and runs all tests. Installs by apt what the tests need when it may; says what it lacks otherwise.
# The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")"

tools="redis-server:redis-server dovecot:dovecot-imapd curl:curl mbsync:isync python3:python3 fetchmail:fetchmail offlineimap:offlineimap3 neomutt:neomutt cc:gcc cc:libc6-dev ip:iproute2 /usr/lib/dovecot/lmtp:dovecot-lmtpd /usr/lib/cyrus/bin/master:cyrus-common saslpasswd2:sasl2-bin slapd:slapd gsasl:gsasl fail2ban-regex:fail2ban"
# Debian lets only one IMAP server be installed, and that is Dovecot: of Cyrus the rest is, and its imapd is laid beside it.
cyrus=/usr/local/lib/cyrus/imapd
missing=""
for pair in $tools; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends $missing >/dev/null || true
  fi
fi
if [ ! -x "$cyrus" ] && [ "$(id -u)" = 0 ] && command -v dpkg-deb >/dev/null 2>&1; then
  package=$(mktemp -d)
  (cd "$package" && apt-get download -qq cyrus-imapd && dpkg-deb -x cyrus-imapd_*.deb . && install -D usr/lib/cyrus/bin/imapd "$cyrus") >/dev/null 2>&1 || true
  rm -rf "$package"
fi
for pair in $tools "$cyrus:cyrus-imapd"; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || echo "Not here: ${pair%%:*} (package ${pair##*:}). The tests that need it are reported as skipped."
done

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
dotnet restore ImapDirector.sln --locked-mode --nologo -v quiet
dotnet build ImapDirector.sln -c Release --no-restore --nologo -v quiet
# A test that never ends is named after ten minutes in which no other has, and is a failure like any other.
dotnet test ImapDirector.sln -c Release --no-build --nologo -v quiet --logger "console;verbosity=minimal" --logger trx --results-directory "$results" \
  --blame-hang-timeout 10m --blame-hang-dump-type none "$@" || status=$?

sum() { cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ s += $1 } END { print s + 0 }'; }
total=$(sum total) passed=$(sum passed) executed=$(sum executed)
skipped=$((total - executed))
failed=$((executed - passed))
# A test host that dies leaves no count behind: that is a failure too.
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
