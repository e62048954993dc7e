import { once } from "node:events";
import { connect } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { describe, expect, it } from "@jest/globals";
import { widen, windowBytes } from "./window.ts";

async function windowsOf(port: number): Promise<{ stream: number | undefined; connection: number | undefined }> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const [settings] = await once(session, "remoteSettings");
    // The update of the connection's window follows the settings; an answered ping says that it is here.
    await new Promise((resolve) => session.ping(resolve));
    return { stream: settings.initialWindowSize, connection: session.state.remoteWindowSize };
  } finally {
    session.destroy();
  }
}

describe("the window of a gRPC server", () => {
  it("is the same for a stream and for a connection, and as wide as that of a client", async () => {
    const server = new Server();
    widen(server);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    try {
      expect(await windowsOf(port)).toEqual({ stream: windowBytes, connection: windowBytes });
    } finally {
      server.forceShutdown();
    }
  });
});
