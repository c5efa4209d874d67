#!/bin/sh
# Sees to it that something the build needs is there: tests for it, installs the package when it may, says what to do
# when it may not. Silent when all is well.
#
#   scripts/need.sh cmocka sqlite ...    named needs, see package_of; other words are Debian packages
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build || exit 1

package_of() {
  case $1 in
    cmocka) echo libcmocka-dev ;;
    sqlite) echo libsqlite3-dev ;;
    libpq) echo libpq-dev ;;
    clang) echo clang ;;
    g++) echo g++ ;;
    musl) echo musl-tools ;;
    arm) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user ;;
    s390x) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user ;;
    *) echo "$1" ;;
  esac
}

# Whether a C program with these first lines and libraries builds.
builds() {
  probe=build/.probe.$$
  printf '%s\nint main(void) { return 0; }\n' "$1" > "$probe.c"
  shift
  ${CC:-cc} -o "$probe" "$probe.c" "$@" > /dev/null 2>&1
  built=$?
  rm -f "$probe" "$probe.c"
  return $built
}

have() {
  for tool in "$@"; do
    command -v "$tool" > /dev/null 2>&1 || return 1
  done
}

# The same, also in folders that are not in PATH; $1 has blanks and patterns.
have_in() {
  # shellcheck disable=SC2086
  (PATH=$PATH:$(echo $1 | tr ' ' ':') && shift && have "$@")
}

is_there() {
  case $1 in
    cmocka) builds '#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>' -lcmocka ;;
    sqlite) builds '#include <sqlite3.h>
#if SQLITE_VERSION_NUMBER < 3038000
#error "older than 3.38"
#endif' -lsqlite3 ;;
    libpq) builds '#include <libpq-fe.h>' -I/usr/include/postgresql "-I$(pg_config --includedir 2> /dev/null)" -lpq ;;
    clang) have clang clang++ ;;
    g++) have g++ ;;
    musl) have musl-gcc ;;
    cmake | pkg-config) have "$1" ;;
    arm) have arm-linux-gnueabihf-gcc qemu-arm ;;
    s390x) have s390x-linux-gnu-gcc qemu-s390x ;;
    postgresql) have_in "/usr/lib/postgresql/*/bin $(pg_config --bindir 2> /dev/null)" initdb postgres psql ;;
    pgbouncer) have_in /usr/sbin pgbouncer ;;
    openssl) have openssl ;;
    *) dpkg -s "$1" > /dev/null 2>&1 ;;
  esac
}

# apt-get as root, directly or by a sudo that asks nothing.
apt() {
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
  fi
}

may_install() {
  have apt-get || return 1
  [ "$(id -u)" = 0 ] || { have sudo && sudo -n true > /dev/null 2>&1; }
}

missing=
packages=
for need in "$@"; do
  is_there "$need" && continue
  missing="$missing $need"
  packages="$packages $(package_of "$need")"
done
[ -z "$missing" ] && exit 0

log=build/install.log
if [ "${KECS_NO_INSTALL-}" = "" ] && may_install; then
  echo "installing:$packages" >&2
  {
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $packages ||
      { apt update && apt install -y --no-install-recommends $packages; }
  } > $log 2>&1
fi

status=0
for need in $missing; do
  is_there "$need" && continue
  status=1
  echo "$need is missing and could not be installed here. Install $(package_of "$need")" \
    "(its name on Debian and Ubuntu) or what your system calls it, then run this again." >&2
done
exit $status
