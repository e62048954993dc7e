// `npm start`. Plain JavaScript, so that an old Node gets a sentence here and not a syntax error further in.

import "../runtime/node_version.mjs";
import "../runtime/memory.mjs";

await import("./start.ts");
