#!/bin/bash
# Two network namespaces as two machines with a process each: trains undisturbed, then once more with a process killed in
# the middle of an epoch, which torchrun starts again, and compares the two runs' last checkpoints byte by byte.
# Needs root, ip (iproute2), and a built library with PyTorch's Python in native/.libtorch.
#
#   tests/slow/tasks/two_hosts.sh [options of deno task train]
set -eu
cd "$(dirname "$0")/../../.."
folder=$(mktemp -d)
export INIT_CWD=$folder PYTHONPATH=$PWD/native/.libtorch

names=(lrcn-host0 lrcn-host1)
clean() {
  jobs -p | xargs -r kill 2>/dev/null || true
  for name in "${names[@]}"; do ip netns del "$name" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean EXIT

for name in "${names[@]}"; do ip netns add "$name"; done
ip link add lrcn0 netns lrcn-host0 type veth peer name lrcn1 netns lrcn-host1
for host in 0 1; do
  ip -n "lrcn-host$host" addr add "10.77.0.$((host + 1))/24" dev "lrcn$host"
  ip -n "lrcn-host$host" link set "lrcn$host" up
  ip -n "lrcn-host$host" link set lo up
done

read -r -a task <<<"$(python3 -c "import json; print(json.load(open('deno.json'))['tasks']['train']['command'])")"

# train OUT OPTION...: trains on both machines, each with its log.
train() {
  local out=$1 host
  shift
  for host in 0 1; do
    ip netns exec "lrcn-host$host" python3 -m torch.distributed.run --no-python --nnodes 2 --nproc-per-node 1 \
      --rdzv-backend c10d --rdzv-endpoint 10.77.0.1:29400 --rdzv-conf "is_host=$((1 - host))" \
      --rdzv-id "$out" --local-addr "10.77.0.$((host + 1))" --max-restarts 2 --monitor-interval 0.5 \
      "${task[@]}" --out "$out" --timeout 60 "$@" >"$folder/$out.$host.log" 2>&1 &
  done
}

trap 'tail -n 5 "$folder"/*.log >&2' ERR

train whole "$@"
wait
train killed "$@"
until grep -q '^Epoch 2/.*: train loss' "$folder/killed.0.log" "$folder/killed.1.log"; do sleep 0.1; done
sleep 0.2
victim=$(ip netns pids lrcn-host1 | while read -r pid; do
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q '^deno .*tasks/train.ts' && echo "$pid"; done | head -1)
kill -KILL "$victim"
wait
grep -hE '^Resuming|has ended or does not answer' "$folder"/killed.*.log
cmp "$folder/whole/last.safetensors" "$folder/killed/last.safetensors"
echo "The run with a process killed ended with the bytes of the undisturbed one"
