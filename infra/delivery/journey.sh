#!/usr/bin/env bash
# The main job at an environment, as the people of $PEOPLE (JSON, see `npm run journey -- --help`): infra/delivery/journey.sh https://…
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -n "${PEOPLE:-}" ] || { echo "The secret JOURNEY_PEOPLE of this GitHub environment is empty." >&2; exit 1; }
file=$(mktemp)
trap 'rm -f "$file"' EXIT
printf %s "$PEOPLE" >"$file"
npm run --silent journey -- "$1" --people "$file"
