// How V8 keeps the house of a process through which files flow. Plain JavaScript and imported before anything else, so that
// it holds while the modules load. Measured with `npm run bench:transfer` and `bench/slow_peers.ts`.

import { setFlagsFromString } from "node:v8";

// By default every 64 MiB of buffers start a collection of the whole heap, four a second during a transfer, which cost
// more than the transfer itself. Now buffers count like objects do,
setFlagsFromString("--external-memory-accounted-in-global-limit");
// and the next full collection is due when the heap, buffers included, has doubled.
setFlagsFromString("--heap-growing-percent=100");
// The young generation stays small. Otherwise it grows to 64 MiB while the process starts and keeps them; and each of its
// small objects may stand for a large buffer, which is free again only when the young generation has been swept.
setFlagsFromString("--semi-space-growth-factor=1");
