#!/usr/bin/env bash
# Whether everything that an environment is to run was signed by main.yml: infra/delivery/all_signed.sh stage
set -euo pipefail
cd "$(dirname "$0")/../.."
node infra/delivery/run.ts digests "$1" | while IFS='=' read -r image digest; do
  infra/delivery/signed.sh "$image" "$digest" || { echo "$image $digest was not signed by main.yml." >&2; exit 1; }
  echo "$image $digest is signed."
done
