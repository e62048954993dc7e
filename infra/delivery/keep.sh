#!/usr/bin/env bash
# Gives what PROD runs a tag in the registry that its rules keep for long: infra/delivery/keep.sh prod-20260101-1234
set -euo pipefail
cd "$(dirname "$0")/../.."
region=$(node infra/platform.ts | sed -n 's/^region=//p')
file=$(mktemp)
trap 'rm -f "$file"' EXIT
node infra/delivery/run.ts digests prod | while IFS='=' read -r image digest; do
  manifest=$(aws ecr batch-get-image --region "$region" --repository-name "docket/$image" --image-ids "imageDigest=$digest" --output json)
  jq -je '.images[0].imageManifest' <<<"$manifest" >"$file"
  media=$(jq -r '.images[0].imageManifestMediaType' <<<"$manifest")
  aws ecr put-image --region "$region" --repository-name "docket/$image" --image-tag "$1" \
    --image-manifest "file://$file" --image-manifest-media-type "$media" >/dev/null
  echo "docket/$image:$1 is $digest"
done
