#!/bin/sh
# Builds kernel_check by itself, with nothing but a compiler, and runs it: for sanitizers and emulators.
#   build_kernel_check.sh [--stride N ...]      CXX, FLAGS (extra flags), RUN (an emulator), BUILD (folder) from the environment
#   CXX=aarch64-linux-gnu-g++ RUN="qemu-aarch64 -L /usr/aarch64-linux-gnu" tests/cpp/build_kernel_check.sh --stride 1000003
#   FLAGS="-O1 -fsanitize=address,undefined" tests/cpp/build_kernel_check.sh --isa avx2
# The flags of each instruction set are those of csrc/cmake/isa.cmake.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
CXX=${CXX:-g++}
build=${BUILD:-$root/build/kernel_check-$(basename "$CXX")}
common="-std=c++17 -Wall -Wextra -ffp-contract=off -I$root/csrc -I$root/tests/cpp"
kernel="-O3 -fno-math-errno -fno-trapping-math -fno-exceptions -fvisibility=hidden -fno-lto"
avx2="-mavx2 -mfma -mf16c -mbmi2"
avx512="$avx2 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512"
case $($CXX -dumpmachine) in
  x86_64*) isas="scalar avx2 avx512 avx512vnni amx" ;;
  aarch64*) isas="scalar neon" ;;
  *) isas=scalar ;;
esac
mkdir -p "$build"
for isa in $isas; do
  families=$(sed -n 's/^LN_FAMILY(\(.*\))$/\1/p' "$root/csrc/kernels/families.def")
  case $isa in
    scalar) flags=-O2 ;;
    avx2) flags=$avx2 ;;
    avx512) flags=$avx512 ;;
    avx512vnni) flags="$avx512 -mavx512vnni" families=gemm_dot ;;
    amx) flags="$avx512 -mavx512vnni -mamx-tile -mamx-bf16 -mamx-int8" families=gemm_amx ;;
    *) flags= ;;
  esac
  for family in $families; do
    echo "$isa-target_$family.o $kernel $flags -DLN_TARGET=$isa -c $root/csrc/kernels/target_$family.cpp"
  done
done >"$build/commands"
echo "dispatch.o -O2 -c $root/csrc/kernels/dispatch.cpp" >>"$build/commands"
echo "kernel_check.o -O1 -c $root/tests/cpp/kernel_check.cpp" >>"$build/commands"
export CXX common build FLAGS="${FLAGS:-}"
xargs -P 2 -L 1 sh -c 'output=$1; shift; $CXX $common "$@" $FLAGS -o "$build/$output"' compile <"$build/commands"
# shellcheck disable=SC2046,SC2086
$CXX $FLAGS $(sed "s|^\([^ ]*\) .*|$build/\1|" "$build/commands") -o "$build/kernel_check"
if [ -z "$FLAGS" ]; then
  # shellcheck disable=SC2046
  python3 "$root/tests/cpp/check_symbols.py" $(sed -n "s|^\([^ ]*-target_[^ ]*\) .*|$build/\1|p" "$build/commands")
fi
# shellcheck disable=SC2086
${RUN:-} "$build/kernel_check" "$@"
