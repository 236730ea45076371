#!/bin/sh
# What tests use beside Python packages: PostgreSQL, a browser, a web server and word stock for the shared world of blogs.
set -eu
here=$(dirname "$0")
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || sh "$here/apt.sh" postgresql
sh "$here/apt.sh" openssl procps chromium fonts-dejavu-core
# The shared test material is not part of this repository; its tests run where it lies beside it.
if [ -d "$here/../../shared/world" ]; then
    sh "$here/apt.sh" nginx-light fortunes fortunes-de fortunes-es fortunes-it fortunes-ru
fi
