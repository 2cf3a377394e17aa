#!/usr/bin/env bash
# Installs the real servers the tests use. As root on Debian: through apt. Elsewhere: says what will be skipped.
set -u
packages="prometheus victoria-metrics prometheus-alertmanager chromium"
missing=""
for package in $packages; do
  command -v "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing the servers the tests use:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # The packages would start services of their own; the tests start theirs.
  policy=/usr/sbin/policy-rc.d
  made_policy=""
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod +x "$policy" && made_policy=1; fi
  apt="apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300"
  $apt update >/dev/null && $apt install -y --no-install-recommends $missing >/dev/null
  status=$?
  [ -n "$made_policy" ] && rm -f "$policy"
  [ "$status" = 0 ] && exit 0
  echo "could not install:$missing"
else
  echo "not here, and not installed for want of root or apt:$missing"
fi
if [ -n "${CI:-}" ]; then exit 1; fi
echo "the tests that need them are skipped, and said so"
