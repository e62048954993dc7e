// One for all tabs of a browser in which the same account is signed in: its name is the account's id.

import { Hub, type LiveAsk } from "./hub.ts";

/** What a SharedWorker finds around it, as far as it is used here. */
interface Around {
  readonly name: string;
  onconnect: ((event: MessageEvent) => void) | null;
  addEventListener(type: "online", heard: () => void): void;
}

const around = globalThis as unknown as Around;
const hub = new Hub(around.name, (input, init) => fetch(input, init));

around.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<LiveAsk>) => hub.hear(port, data);
  // Told by newer browsers when a tab has died without a word.
  port.addEventListener("close", () => hub.hear(port, { type: "detach" }));
};
around.addEventListener("online", () => hub.wake());
