#!/usr/bin/env bash
# Tags what an environment runs as passed, and pushes the tags: infra/delivery/tag.sh dev https://…/runs/1
set -euo pipefail
cd "$(dirname "$0")/../.."
git config user.name "Docket's pipeline"
git config user.email pipeline@users.noreply.github.com
mapfile -t tags < <(node infra/delivery/run.ts pass "$1" "$2")
[ ${#tags[@]} -gt 0 ] || exit 1
# They move: the latest that passed is what they say.
git push --quiet --force --atomic origin "${tags[@]/#/refs/tags/}"
printf '%s\n' "${tags[@]}"
