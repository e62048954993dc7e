// How many calls a peer may give up. Node ends a connection on which more than 33 in a second are, after the first thousand,
// since strangers attack so (CVE-2023-44487). Here a connection is another workload's, with the calls of many people, each
// of whom may give up at any time: the end of it would be the end of all their calls.

import type { Server } from "@grpc/grpc-js";

/** What grpc-js 1.14 makes its HTTP/2 servers with; a test notices when that changes. */
interface Inside {
  commonServerOptions: { streamResetBurst?: number; streamResetRate?: number };
}

/** Calls given up at once on one connection, and in each second, before it is ended. */
export const mostResets: { readonly streamResetBurst: number; readonly streamResetRate: number } = {
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
};

/** Lets the peers of a server that is not bound yet give up many calls. */
export function allowResets(server: Server): void {
  Object.assign((server as unknown as Inside).commonServerOptions, mostResets);
}
