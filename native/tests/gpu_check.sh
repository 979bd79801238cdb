#!/bin/bash
# Builds the library beside this machine's PyTorch, checks it on the GPU and measures it beside PyTorch; needs a C++
# compiler, CMake, and a Python with torch 2.11 to 2.13, numpy and Triton, but neither Deno nor a network. Under 8 minutes.
#
#   native/tests/gpu_check.sh            on the GPU
#   native/tests/gpu_check.sh cpu        a short form on the CPU, which shows that the script works
#
# PYTHON names the Python, BUILD the build folder. Prints Markdown; exits with 1 if anything failed.
set -u
cd "$(dirname "$0")/../.." || exit 1

device=${1:-cuda}
python=${PYTHON:-python3}
build=${BUILD:-native/build-check}
failed=0
if [ "$device" = cpu ]; then
  sizes="2" steps=2 memory_steps=4 numbers="64 4" compiled="false"
else
  sizes="32 64 128" steps=40 memory_steps=200 numbers="224 8" compiled="false true"
fi

# check NAME COMMAND...: runs a command, and says if it failed.
check() {
  local name=$1
  shift
  printf '\n## %s\n\n' "$name"
  "$@" || {
    failed=1
    printf '\n**FAILED: %s**\n' "$name"
  }
}

build_all() {
  local torch
  torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') || return 1
  {
    cmake -S native -B "$build" -DTORCH_DIR="$torch" &&
      cmake --build "$build" --parallel --target lrcn abi_test device_test gpu_check
  } >"$build.log" 2>&1 || {
    tail -n 30 "$build.log"
    return 1
  }
  readelf -d "$build/liblrcn.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/    \1/p'
}

machine() {
  "$python" -c 'import torch; print("torch", torch.__version__, "cuDNN", torch.backends.cudnn.version())'
  nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || grep -m1 'model name' /proc/cpuinfo
}

# theirs PRECISION IMAGES COMPILE: PyTorch's steps per second.
theirs() {
  local settings='"layout": "channels_last", "fused": true, "data": null, "recipe": "lrcn"'
  settings="{$settings, \"precision\": \"$1\", \"batchSize\": $2, \"compile\": $3, \"steps\": $steps, \"device\": \"$device\"}"
  echo | timeout 120 "$python" bench/pytorch/train.py "$settings" | "$python" -c "
import json, sys
answer = [json.loads(line) for line in sys.stdin][-1]
print(f'{$steps / answer[\"seconds\"]:.3f}')"
}

speed() {
  local precision images compile ours other failures=0
  echo "Steps per second of ResNet-50 and one LSTM layer, fine-tuned, 224 pixels, five captions an image:"
  echo
  echo "| images | precision | lrcn | PyTorch eager | PyTorch compiled |"
  echo "| ---: | --- | ---: | ---: | ---: |"
  for precision in bf16 fp32; do
    for images in $sizes; do
      [ "$precision" = bf16 ] || [ "$images" = "${sizes%% *}" ] || continue
      ours=$(timeout 60 "$build/gpu_check" speed "$device" "$precision" "$images" "$steps") || failures=1
      printf '| %s | %s | %s |' "$images" "$precision" "${ours:-failed}"
      for compile in $compiled; do
        other=$(theirs "$precision" "$images" "$compile" 2>>"$build.log") || failures=1
        printf ' %s |' "${other:-failed}"
      done
      echo
    done
  done
  return "$failures"
}

echo "# lrcn on $device"
check "Machine" machine
check "Build" build_all
[ "$failed" -eq 0 ] || exit 1
check "What a GPU would do, without one" "$build/device_test"
check "C11 test of the ABI" env LRCN_TEST_DEVICE="$device" timeout 120 "$build/abi_test"
# shellcheck disable=SC2086  # two words
check "Numbers" timeout 120 "$build/gpu_check" numbers "$device" $numbers
check "Memory" timeout 120 "$build/gpu_check" memory "$device" "${sizes%% *}" "$memory_steps"
check "Speed" speed
if command -v compute-sanitizer >/dev/null; then
  check "compute-sanitizer" env LRCN_TEST_DEVICE="$device" timeout 120 compute-sanitizer --error-exitcode 1 "$build/abi_test"
fi
printf '\n%s s, %s\n' "$SECONDS" "$([ "$failed" -eq 0 ] && echo ok || echo FAILED)"
exit "$failed"
