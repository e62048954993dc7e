// The folders that dropped files lie in: those that are there are used, the others made, each once, however many files
// ask for it at the same time.

import type { UploadTarget } from "./types.ts";

/** Where a folder lies: in another one, or in a workspace's root. */
export type FolderParent = { readonly folderId: string } | { readonly workspaceId: string };

export interface FolderCalls {
  list(parent: FolderParent): Promise<readonly { readonly id: string; readonly name: string }[]>;
  create(parent: FolderParent, name: string, requestId: string): Promise<{ readonly id: string }>;
  newId(): string;
}

export interface Folders {
  /** The id of the folder at the end of the path; undefined for a workspace's root. */
  ensure(target: UploadTarget, path: readonly string[]): Promise<string | undefined>;
  /** Looks again the next time: somebody may have moved or removed what was there. */
  forget(): void;
}

export function createFolders(calls: FolderCalls): Folders {
  const contents = new Map<string, Promise<Map<string, Promise<string>>>>();
  /** Kept when a call fails, since its folder may be there all the same. */
  const requestIds = new Map<string, string>();

  function contentsOf(parent: FolderParent): Promise<Map<string, Promise<string>>> {
    const key = keyOf(parent);
    const known = contents.get(key);
    if (known !== undefined) return known;
    const asked = calls.list(parent).then((found) => {
      const byName = new Map<string, Promise<string>>();
      // Of several with one name, the first that is listed.
      for (const { id, name } of found) if (!byName.has(name)) byName.set(name, Promise.resolve(id));
      return byName;
    });
    contents.set(key, asked);
    asked.catch(() => contents.delete(key));
    return asked;
  }

  async function child(parent: FolderParent, name: string): Promise<string> {
    const byName = await contentsOf(parent);
    const known = byName.get(name);
    if (known !== undefined) return await known;
    const key = `${keyOf(parent)}/${name}`;
    const requestId = requestIds.get(key) ?? calls.newId();
    requestIds.set(key, requestId);
    const made = calls.create(parent, name, requestId).then(({ id }) => {
      requestIds.delete(key);
      // It is new: nothing is in it.
      contents.set(keyOf({ folderId: id }), Promise.resolve(new Map()));
      return id;
    });
    byName.set(name, made);
    made.catch(() => byName.delete(name));
    return await made;
  }

  return {
    async ensure({ workspaceId, folderId }, path) {
      let at = folderId;
      for (const name of path) at = await child(at === undefined ? { workspaceId } : { folderId: at }, name);
      return at;
    },
    forget: () => contents.clear(),
  };
}

function keyOf(parent: FolderParent): string {
  return "folderId" in parent ? parent.folderId : `root ${parent.workspaceId}`;
}
