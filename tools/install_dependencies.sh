#!/usr/bin/env bash
# Installs what the build, the program and its tests need: Debian packages by apt, DuckDB by npm. Says what it installs and
# does nothing where all is there. Usage: install_dependencies.sh build|lint|interop ...
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(clang-19 lld-19 llvm-19 libclang-rt-19-dev cmake ninja-build pkg-config ccache git python3 npm
  libboost1.81-dev libssl-dev libsimdjson-dev libfmt-dev libcli11-dev libtomlplusplus-dev libmariadb-dev libisal-dev
  libnghttp2-dev zlib1g-dev libsnappy-dev liblz4-dev libzstd-dev libre2-dev librdkafka-dev libcurl4-openssl-dev libgtest-dev libgmock-dev
  libbenchmark-dev)
lint_packages=(clang-format-19 clang-tidy-19)
# Kafka's tools and broker come by Maven, librdkafka's test suite and KafkaJS by npm; interop/kafka/README.md tells.
interop_packages=(python3-venv mariadb-server curl maven openjdk-17-jdk-headless kcat g++ gcc make pkg-config rapidjson-dev libzstd-dev liblz4-dev
  libssl-dev zlib1g-dev openssl)

wanted=()
for set in "$@"; do
  case "$set" in
    build) wanted+=("${build_packages[@]}") ;;
    lint) wanted+=("${lint_packages[@]}") ;;
    interop) wanted+=("${interop_packages[@]}") ;;
    *) echo "unknown set of packages '$set': use build, lint or interop" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  # A node and npm from elsewhere serve as well as Debian's.
  if [ "$package" = npm ] && command -v npm >/dev/null; then continue; fi
  if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then missing+=("$package"); fi
done

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing from Debian: ${missing[*]}"
  if [ ${#as_root[@]} -gt 0 ]; then echo "(this asks for your password, to run apt-get as root)"; fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The lock file pins DuckDB by checksum; packages' own scripts do not run.
if [ ! -e third_party/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so ] ||
   [ third_party/package-lock.json -nt third_party/node_modules/.package-lock.json ]; then
  echo "Installing from npm: DuckDB (shared library and C header)"
  npm ci --prefix third_party --ignore-scripts --no-audit --no-fund --loglevel=error
fi
