#!/usr/bin/env bash
# The digest of an image in the registry, by its tag, or nothing where it is not there: infra/delivery/digest.sh user main-0123…
set -euo pipefail
cd "$(dirname "$0")/../.."
region=$(node infra/platform.ts | sed -n 's/^region=//p')
# Only an image that is not there is no fault.
if ! found=$(aws ecr describe-images --region "$region" --repository-name "docket/$1" --image-ids "imageTag=$2" \
  --query 'imageDetails[0].imageDigest' --output text 2>&1); then
  grep -q ImageNotFoundException <<<"$found" && exit 0
  echo "$found" >&2
  exit 1
fi
echo "$found"
