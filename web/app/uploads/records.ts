// What is under way, kept over reloads: one row for each upload that is not finished, in the browser's own database.
// Rows belong to a person, and to the tab that works at them.

import type { Part } from "./plan.ts";
import type { UploadTarget } from "./types.ts";

export interface UploadRecord {
  readonly id: string;
  /** Whose it is: nobody else who signs in here sees it. */
  readonly userId: string;
  /** The tab that works at it. */
  readonly tab: string;
  /** In which order they were added. */
  readonly order: number;
  readonly kind: "file" | "folder";
  readonly name: string;
  readonly path: readonly string[];
  readonly size: number;
  /** When the file was changed last, in milliseconds since 1970. */
  readonly modified: number;
  readonly mediaType: string;
  readonly target: UploadTarget;
  readonly handle?: FileSystemFileHandle | undefined;
  readonly root?: FileSystemDirectoryHandle | undefined;
  /** Its parts with the URLs of their uploads. */
  readonly parts: readonly Part[];
  /** How many bytes had gone up when the row was kept. */
  readonly sent: number;
  /** The upload that holds the whole file, once it is there. */
  readonly uploadId?: string | undefined;
  /** The call that makes the document or version; the same again doubles nothing. */
  readonly attach?:
    | { readonly requestId: string; readonly folderId: string | undefined; readonly uploadId: string }
    | undefined;
  /** When the server forgets it, in milliseconds since 1970. */
  readonly expires?: number | undefined;
}

export interface Records {
  /** All rows of a person, in their order. */
  all(userId: string): Promise<UploadRecord[]>;
  put(records: readonly UploadRecord[]): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  /** Moves rows from one tab to another; gives those that had not been taken by somebody else meanwhile. */
  claim(records: readonly UploadRecord[], tab: string): Promise<UploadRecord[]>;
  /** Which of these a tab still has. */
  held(ids: readonly string[], tab: string): Promise<Set<string>>;
}

const store = "uploads";

/** Opens the database; where the browser has none, what is under way lives only as long as the page. */
export async function openRecords(name = "docket-uploads"): Promise<Records> {
  try {
    return inDatabase(await opened(name));
  } catch {
    return inMemory();
  }
}

function inDatabase(database: IDBDatabase): Records {
  const change = async <Result>(run: (rows: IDBObjectStore) => Result): Promise<Result> => {
    const transaction = database.transaction(store, "readwrite", { durability: "relaxed" });
    const result = run(transaction.objectStore(store));
    await finished(transaction);
    return result;
  };
  const rows = (userId: string) =>
    answer<UploadRecord[]>(database.transaction(store).objectStore(store).index("userId").getAll(userId));
  return {
    all: async (userId) => (await rows(userId)).sort((one, other) => one.order - other.order),
    put: async (records) => {
      try {
        await change((all) => records.forEach((record) => void all.put(record)));
      } catch (error) {
        // Handles that cannot be stored must not cost the rest.
        if (!(error instanceof DOMException && error.name === "DataCloneError")) throw error;
        await change((all) => records.forEach(({ handle, root, ...record }) => void all.put(record)));
      }
    },
    remove: (ids) => change((all) => ids.forEach((id) => void all.delete(id))),
    claim: (records, tab) =>
      change((all) => {
        const claimed: UploadRecord[] = [];
        for (const { id, tab: from } of records) {
          const asked: IDBRequest<UploadRecord | undefined> = all.get(id);
          asked.onsuccess = () => {
            if (asked.result === undefined || asked.result.tab !== from) return;
            claimed.push({ ...asked.result, tab });
            all.put({ ...asked.result, tab });
          };
        }
        return claimed;
      }),
    held: async (ids, tab) => {
      const held = new Set<string>();
      const transaction = database.transaction(store);
      for (const id of ids) {
        const asked: IDBRequest<UploadRecord | undefined> = transaction.objectStore(store).get(id);
        asked.onsuccess = () => asked.result?.tab === tab && held.add(id);
      }
      await finished(transaction);
      return held;
    },
  };
}

function inMemory(): Records {
  const rows = new Map<string, UploadRecord>();
  return {
    all: async (userId) => [...rows.values()].filter((row) => row.userId === userId),
    put: async (records) => records.forEach((record) => void rows.set(record.id, record)),
    remove: async (ids) => ids.forEach((id) => void rows.delete(id)),
    claim: async (records, tab) => records.map((record) => ({ ...record, tab })),
    held: async (ids) => new Set(ids),
  };
}

function opened(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(store, { keyPath: "id" }).createIndex("userId", "userId");
  };
  return answer(request);
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
