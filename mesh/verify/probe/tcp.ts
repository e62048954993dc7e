// Bare connections: whether somebody is reached at all, and who.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, connect as connectTcp, isIP, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, connect as connectTls } from "node:tls";
import type { ServeQuestion, TcpAnswer, TcpQuestion, Tls } from "./protocol.ts";

/** Opens a connection, with TLS where it is asked for; `alpn` are the protocols offered. */
export function open(
  target: string,
  { tls, alpn, localAddress }: { tls?: Tls | undefined; alpn?: string[]; localAddress?: string | undefined } = {},
): Socket {
  const at = target.lastIndexOf(":");
  const place = { host: target.slice(0, at), port: Number(target.slice(at + 1)) };
  const socket = connectTcp({ ...place, ...(localAddress === undefined ? {} : { localAddress }) });
  if (tls === undefined) return socket;
  const name = tls.serverName ?? (isIP(place.host) === 0 ? place.host : undefined);
  return connectTls({
    socket,
    ...credentials(tls),
    ...(name === undefined ? {} : { servername: name }),
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    maxVersion: tls.maxVersion ?? "TLSv1.3",
    // Identities are SPIFFE ids; who answers is not what a probe asks.
    checkServerIdentity: () => undefined,
  });
}

function credentials({ certificates, show = true }: Tls) {
  const read = (name: string) => readFileSync(join(certificates, name));
  const ca = read("root-cert.pem");
  return show ? { ca, cert: read("cert-chain.pem"), key: read("key.pem") } : { ca };
}

export async function openTcp({ target, tls, giveUpMs = 3000 }: TcpQuestion): Promise<TcpAnswer> {
  const socket = open(target, { tls });
  let text = "";
  let connected = false;
  let failure: string | undefined;
  socket.once(tls === undefined ? "connect" : "secureConnect", () => {
    connected = true;
    socket.write("hello\n");
  });
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", (error) => {
    failure = error.message;
  });
  const timer = setTimeout(() => socket.destroy(), giveUpMs);
  await once(socket, "close").catch(() => undefined);
  clearTimeout(timer);
  return { connected, text, ...(failure === undefined ? {} : { error: failure }) };
}

export async function serveTcp({ port, greeting, tls }: ServeQuestion): Promise<{ listening: boolean }> {
  // Only to who has said something: Envoy's rules for bare TCP act at the client's first byte, and let through what a server
  // says before it.
  const greet = (socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(greeting));
  };
  const server = tls === undefined ? createServer(greet) : createTlsServer(credentials(tls), greet);
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return { listening: true };
}
