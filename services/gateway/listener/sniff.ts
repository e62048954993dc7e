// Tells HTTP/2 with prior knowledge from HTTP/1 by the first bytes of a connection.

import type { Socket } from "node:net";

/** What every HTTP/2 client sends first (RFC 9113, section 3.4). */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** `undefined` as long as the bytes so far are the beginning of a preface and nothing more. */
export function protocolOf(bytes: Buffer): "h1" | "h2" | undefined {
  const length = Math.min(bytes.length, preface.length);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return "h1";
  return bytes.length >= preface.length ? "h2" : undefined;
}

/**
 * Reads just as much of a new connection as the decision needs, puts it back, and says what it is. A peer that is
 * silent, or stops within a preface, for `limitMs` is closed; `decided` is then never called.
 */
export function sniff(socket: Socket, limitMs: number, decided: (protocol: "h1" | "h2") => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", giveUp);
    socket.off("close", stop);
  };
  const giveUp = () => {
    stop();
    socket.destroy();
  };
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const protocol = protocolOf(seen);
    if (protocol === undefined) return;
    stop();
    socket.pause();
    socket.unshift(seen);
    decided(protocol);
  };
  const timer = setTimeout(giveUp, limitMs);
  socket.on("data", onData);
  socket.once("end", giveUp);
  socket.once("close", stop);
}
