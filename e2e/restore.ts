// `npm run restore -- <backup> <folder>`.

import { runTool } from "./backup/command_line.ts";
import { restoreBackup } from "./backup/restore.ts";

const usage = `npm run restore -- <backup> <folder>

Makes a data folder of a backup, in a folder that is empty or not there yet, and reads all of it before it gets its name.`;

await runTool(usage, {}, async ([backup, folder, ...rest], _, say) => {
  if (backup === undefined || folder === undefined || rest.length > 0) return undefined;
  const restored = await restoreBackup({ backup, folder, say });
  return {
    lines: [
      ...restored.findings.lines,
      `${restored.folder} shows Docket as it was at ${restored.manifest.moment}.`,
      `Start it: DOCKET_DATA_DIR=${restored.folder} npm start, with the other settings as they were.`,
      "Where KEY_ENCRYPTION_SECRET was set, set it again: without it, links in mails are worth nothing and webhooks' secrets cannot be read.",
    ],
    sound: true,
  };
});
