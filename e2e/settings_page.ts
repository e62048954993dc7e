// Writes docs/reference/settings.md; the second half of `npm run gen`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settingsPage } from "./settings_reference.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "docs", "reference");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "settings.md"), settingsPage(root));
