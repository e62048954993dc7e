// Where folders lie: their names and the ways to them, for lines of the kind "Contracts / 2026". Each is asked for once.

import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";

/** A folder with the way to it, as far as the reader may see it. */
export interface Trail {
  readonly id: string;
  readonly name: string;
  readonly etag: string;
  /** From the uppermost folder down to the one above. */
  readonly above: readonly { readonly id: string; readonly name: string }[];
  /** Whether the reader may put things there. */
  readonly editable: boolean;
  readonly trashed: boolean;
}

/** So many are asked for at the same time. */
const atOnce = 4;

export function useTrails() {
  const folders = useFolders();
  /** By the folder's id. Null: it cannot be seen. */
  const known = useState<Record<string, Trail | null>>("trails", () => ({}));

  /** Asks for a folder anew, and gives its trail. */
  async function learn(folderId: string): Promise<Trail> {
    const { id, name, etag, path, access, trashTime } = await folders.get(folderId);
    const above = path.map((step) => ({ id: step.id, name: step.name }));
    const trail = { id, name, etag, above, editable: access >= GrantLevel.EDITOR, trashed: trashTime !== undefined };
    known.value = { ...known.value, [id]: trail };
    return trail;
  }

  /** Learns what is not known yet. Nothing fails. */
  async function know(folderIds: readonly string[]): Promise<void> {
    const queue = [...new Set(folderIds)].filter((id) => id !== "" && known.value[id] === undefined);
    const work = async () => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        const missing = id;
        await learn(id).catch(() => {
          known.value = { ...known.value, [missing]: null };
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, queue.length) }, work));
  }

  /** What is known of a folder. */
  function trailOf(folderId: string): Trail | undefined {
    return known.value[folderId] ?? undefined;
  }

  /** The whole way to what lies in a folder, in words; empty while it is not known. */
  function wayTo(folderId: string): string {
    const trail = trailOf(folderId);
    return trail === undefined ? "" : [...trail.above, trail].map(({ name }) => name).join(" / ");
  }

  return { learn, know, trailOf, wayTo };
}
