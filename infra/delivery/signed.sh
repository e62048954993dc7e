#!/usr/bin/env bash
# Whether an image was signed by main.yml on the branch main, and by nobody else: infra/delivery/signed.sh user sha256:…
set -euo pipefail
cd "$(dirname "$0")/../.."
platform=$(node infra/platform.ts)
registry=$(sed -n 's/^registry=//p' <<<"$platform")
repository=$(sed -n 's/^repository=//p' <<<"$platform")
cosign verify --experimental-oci11 \
  --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  --certificate-identity "https://github.com/$repository/.github/workflows/main.yml@refs/heads/main" \
  "$registry/docket/$1@$2" >/dev/null
