#!/usr/bin/env bash
# Builds an image, pushes it and signs it, unless the registry has it already: infra/delivery/build.sh user main-0123…
# Needs docker with buildx, cosign, and keys of AWS that may push. The last line is the digest.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 tag=$2
registry=$(node infra/platform.ts | sed -n 's/^registry=//p')
name=$registry/docket/$image

digest=$(infra/delivery/digest.sh "$image" "$tag")
if [ -z "$digest" ]; then
  result=$(mktemp)
  trap 'rm -f "$result"' EXIT
  # Nodes are arm64. What is inside and how it was built goes with the image, as attestations.
  docker buildx build . \
    --platform linux/arm64 \
    --build-arg "SERVICE=$image" --build-arg "BUILD=$(git rev-parse --short=12 HEAD)" \
    --sbom=true --provenance=mode=max \
    --tag "$name:$tag" --push --metadata-file "$result" >&2
  digest=$(jq -er '."containerimage.digest"' "$result")
fi
# Signed as this job of this workflow, which GitHub vouches for; no key is kept. One that was pushed by a run that was cut
# before this line is signed now.
if ! infra/delivery/signed.sh "$image" "$digest" >&2; then
  cosign sign --yes --registry-referrers-mode=oci-1-1 "$name@$digest" >&2
fi
echo "$digest"
