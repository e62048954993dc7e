// `npm run admin -- contents copy`: the bytes of an installation to another place, whichever drivers the two have.

import { copyPiece, faultOfPiece, openContents, openContentsToFill } from "@docket/storage/admin";
import { readConfig } from "@docket/storage/config";
import { forEachOf } from "../backup/files.ts";
import { megabytes } from "../verify.ts";
import type { Command } from "./command.ts";
import { openers } from "./databases.ts";

const progressMs = 5000;

/** Commands on contents. */
export const contentCommands: readonly Command[] = [
  {
    name: "contents copy",
    parameters: "<file: or s3: URL>",
    summary: "Copies all contents from BLOB_URL to another place, checked; what is there already is passed over.",
    count: { min: 1, max: 1 },
    async run({ positionals: [url = ""] }, { environment, say }) {
      await using storage = await openers.storage(environment);
      await using source = await openContents(readConfig(environment));
      await using target = await openContentsToFill(readConfig({ ...environment, BLOB_URL: url }));
      const there = new Map<string, number>();
      for await (const { id, size } of target.list()) there.set(id, size);
      const done = { copied: 0, bytes: 0, passed: 0 };
      const faults: { piece: string; what: string }[] = [];
      let told = performance.now();
      await forEachOf(flattened(storage.neededPieces()), async (piece) => {
        if (there.get(piece.id) === piece.fileBytes) {
          done.passed += 1;
          return;
        }
        try {
          done.bytes += (await copyPiece(source, target, piece)).bytes;
          done.copied += 1;
        } catch (error) {
          const fault = faultOfPiece(error);
          if (fault === undefined) throw error;
          faults.push({ piece: piece.id, what: fault });
        }
        if (performance.now() - told < progressMs) return;
        told = performance.now();
        say(`${done.copied} pieces, ${megabytes(done.bytes)} so far`);
      });
      return {
        data: { ...done, faults },
        lines: [
          ...faults.map(({ piece, what }) => `Piece ${piece} is ${what} in the store.`),
          `${done.copied} pieces copied (${megabytes(done.bytes)}), ${done.passed} were there already.`,
        ],
        sound: faults.length === 0,
      };
    },
  },
];

async function* flattened<Item>(batches: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const batch of batches) yield* batch;
}
