// `npm run backup -- <folder>` and `npm run backup -- verify <folder>`.

import { runTool } from "./backup/command_line.ts";
import { makeBackup } from "./backup/make.ts";
import { openBackup } from "./backup/manifest.ts";
import { verifyBackup } from "./backup/verify.ts";
import { megabytes } from "./verify.ts";

const usage = `npm run backup -- <folder> [--base <earlier backup>] [--no-verify]
npm run backup -- verify <folder>

Backs up what DOCKET_DATA_DIR holds, while Docket runs or while it does not, into a new folder, and reads it again.
With --base, contents that an earlier backup on the same disk has are linked and not copied.`;

await runTool(usage, { base: { type: "string" }, "no-verify": { type: "boolean" } }, async (words, options, say) => {
  if (words[0] === "verify" && words.length === 2) {
    const backup = await openBackup(words[1] ?? "");
    const { lines, sound } = await verifyBackup(backup, say);
    return { lines: [`The backup shows ${backup.manifest.moment}.`, ...lines], sound };
  }
  if (words.length !== 1 || words[0] === undefined) return undefined;
  const base = options.base === undefined ? undefined : String(options.base);
  const verify = options["no-verify"] !== true;
  const { manifest, copied, linked, findings } = await makeBackup({
    environment: process.env,
    target: words[0],
    base,
    verify,
    say,
  });
  const { counts, files, damagedPieces } = manifest;
  return {
    lines: [
      `${words[0]} shows Docket at ${manifest.moment}: ${counts.users} accounts, ${counts.documents} documents, ${counts.versions} versions.`,
      `${files.count} files, ${megabytes(files.bytes)}; ${copied} pieces copied, ${linked} linked.`,
      ...(findings?.lines ?? ["It was not read again: npm run backup -- verify does that."]),
      ...(damagedPieces.length === 0
        ? []
        : [`${damagedPieces.length} pieces were damaged or lost in the store already.`]),
    ],
    sound: damagedPieces.length === 0,
  };
});
