// The floor that Docket is held against: the least that a server in Node does which keeps the same two promises. It hashes
// what comes, syncs it before it answers, and sends it again. No people, no rights, no checks on reading, no TLS, no
// database, no second process or hop.

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

const folder = process.argv[2] ?? ".";

const server = createServer(async (request, response) => {
  const path = join(folder, request.url?.match(/^\/([a-z0-9-]+)$/)?.[1] ?? "none");
  try {
    if (request.method === "PUT") {
      const hash = createHash("sha256");
      const hashing = new Transform({
        transform(chunk, _encoding, done) {
          hash.update(chunk);
          done(undefined, chunk);
        },
      });
      await pipeline(request, hashing, createWriteStream(`${path}.part`, { flush: true, highWaterMark: 1 << 20 }));
      await rename(`${path}.part`, path);
      const directory = await open(folder, "r");
      await directory.sync();
      await directory.close();
      response.writeHead(204, { etag: hash.digest("hex") }).end();
    } else {
      await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), response);
    }
  } catch (error) {
    response.destroy(error as Error);
  }
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`ready at http://127.0.0.1:${typeof address === "object" ? address?.port : ""}\n`);
});
process.on("SIGTERM", () => process.exit(0));
