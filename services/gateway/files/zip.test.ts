import { execFile } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { type ZipEntry, zip, zipLength } from "./zip.ts";

const time = Date.UTC(2026, 10, 21, 12, 30, 44);
const folder = (path: string): ZipEntry => ({ path, size: 0, time });
const file = (path: string, size: number): ZipEntry => ({ path, size, time });

const zeros = Buffer.alloc(1 << 20);

async function* contentsOf({ size }: ZipEntry): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= zeros.length) yield left < zeros.length ? zeros.subarray(0, left) : zeros;
}

/** Writes a file whose long runs of zeros are holes, and answers how long it came to be. */
async function write(handle: FileHandle, entries: readonly ZipEntry[], contents = contentsOf): Promise<number> {
  let [at, pendingLength] = [0, 0];
  let pending: Uint8Array[] = [];
  const flush = async () => {
    await handle.write(Buffer.concat(pending), 0, pendingLength, at);
    at += pendingLength;
    pending = [];
    pendingLength = 0;
  };
  for await (const piece of zip(entries, contents)) {
    if (piece === zeros) {
      await flush();
      at += piece.length;
      continue;
    }
    pending.push(piece);
    pendingLength += piece.length;
    if (pendingLength > zeros.length) await flush();
  }
  await flush();
  return at;
}

/** What Python's reader, which shares nothing with the writer, makes of a file. */
async function python(program: string, path: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)("python3", ["-c", program, path], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}

const infos = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    print(json.dumps([[i.filename, i.file_size, i.is_dir(), i.flag_bits & 0x800, list(i.date_time)] for i in z.infolist()]))
`;
const allRead = "import json, sys, zipfile; print(json.dumps(zipfile.ZipFile(sys.argv[1]).testzip()))";

describe("a ZIP file", () => {
  it("is read by others as it was written, and is as long as was foretold", async () => {
    await using place = await temporaryFolder();
    const path = join(place.path, "a.zip");
    const entries = [folder("Verträge/"), file("Verträge/界.txt", 11), file("Verträge/empty", 0), file("big", 3 << 20)];
    await using handle = await open(path, "w");
    expect(await write(handle, entries)).toBe(zipLength(entries));
    expect(await python(allRead, path)).toBeNull();
    expect(await python(infos, path)).toEqual(
      entries.map((entry) => [
        entry.path,
        entry.size,
        entry.path.endsWith("/"),
        // Python shows the flag as it stands, also where the name is plain.
        0x800,
        [2026, 11, 21, 12, 30, 44],
      ]),
    );
  });

  it("holds files of more than 4 GiB, and what follows them", async () => {
    await using place = await temporaryFolder();
    const path = join(place.path, "large.zip");
    const large = 2 ** 32 + 5;
    const entries = [file("large", large), file("after", 7), folder("last/")];
    await using handle = await open(path, "w");
    const after = (entry: ZipEntry) => (entry.path === "after" ? words("seventh") : contentsOf(entry));
    expect(await write(handle, entries, after)).toBe(zipLength(entries));
    const program = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    print(json.dumps([[i.file_size for i in z.infolist()], z.read("after").decode(), z.open("large").read(3).hex()]))
`;
    expect(await python(program, path)).toEqual([[large, 7, 0], "seventh", "000000"]);
  });

  it("holds more than 65,535 entries", async () => {
    await using place = await temporaryFolder();
    for (const count of [65_534, 65_536]) {
      const path = join(place.path, `${count}.zip`);
      const entries = Array.from({ length: count }, (_, at) => folder(`folder ${at}/`));
      await using handle = await open(path, "w");
      expect(await write(handle, entries)).toBe(zipLength(entries));
      const program = "import json, sys, zipfile; print(json.dumps(len(zipfile.ZipFile(sys.argv[1]).namelist())))";
      expect(await python(program, path)).toBe(count);
    }
  });

  it("fails where contents are longer or shorter than was said, and sends nothing where the first cannot be read", async () => {
    const sent = async (entries: ZipEntry[], contents: (entry: ZipEntry) => AsyncIterable<Uint8Array>) => {
      let length = 0;
      try {
        for await (const piece of zip(entries, contents)) length += piece.length;
        return { length, failed: false };
      } catch {
        return { length, failed: true };
      }
    };
    for (const text of ["1234", "123456"]) {
      expect(await sent([file("a", 5)], () => words(text))).toMatchObject({ failed: true });
    }
    expect(await sent([file("a", 0)], () => words("x"))).toMatchObject({ failed: true });
    // biome-ignore lint/correctness/useYield: it fails before
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      throw new Error("no");
    };
    expect(await sent([file("a", 5)], broken)).toEqual({ length: 0, failed: true });
  });

  it("asks for contents one after the other, no faster than they are taken", async () => {
    const asked: string[] = [];
    const entries = [file("a", 2), file("b", 2)];
    const pieces = zip(entries, async function* ({ path }) {
      asked.push(path);
      yield* words(path);
      asked.push(`${path} again`);
      yield* words(path);
    });
    await pieces.next();
    await pieces.next();
    expect(asked).toEqual(["a"]);
    await pieces.return(undefined);
    expect(asked).toEqual(["a"]);
  });
});

async function* words(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
