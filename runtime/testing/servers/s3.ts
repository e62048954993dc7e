// An S3 server of a test's own: versitygw over a folder, on a free port, with a bucket. Its objects outlive stop().

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../temporary_folder.ts";
import { freePort, needCommand, type ServerProcess, startServer } from "./process.ts";

const accessKeyId = "docket-test";
const secretAccessKey = "docket-test-secret";

/** An S3 server that runs until it is disposed. */
export interface S3Server extends AsyncDisposable {
  /** `s3://…` of an empty place in its bucket; another one at each call. */
  place(): string;
  /** What a process that uses it has in its environment. */
  readonly environment: Readonly<Record<"AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY", string>>;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoint: string;
  readonly bucket: string;
  /** The folder that holds the bucket's objects, each as a file under its key. */
  readonly folder: string;
  /** The process that runs now. */
  readonly pid: number;
  /** Ends it at once, as a crash would. */
  stop(): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** Stops its clock: it takes connections and answers nothing. */
  freeze(): void;
  /** Goes on after freeze(). */
  thaw(): void;
}

/** Starts an S3 server. Throws when versitygw is missing. */
export async function startS3(): Promise<S3Server> {
  const command = needCommand("versitygw", "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0");
  const parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const data = join(folder.path, "data");
  const sidecar = join(folder.path, "sidecar");
  const bucket = "docket";
  await mkdir(join(data, bucket), { recursive: true });
  await mkdir(sidecar);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const start = (): Promise<ServerProcess> =>
    startServer(
      command,
      // The sidecar keeps what others keep in extended attributes, which some folders do not have.
      [
        "--port",
        `127.0.0.1:${port}`,
        "--keep-alive",
        "--quiet",
        "--health",
        "/health",
        "posix",
        "--sidecar",
        sidecar,
        data,
      ],
      async () =>
        await fetch(`${endpoint}/health`).then(
          (answer) => answer.ok,
          () => false,
        ),
      { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    );
  let server: ServerProcess | undefined = await start();
  const stop = async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  parts.defer(stop);
  let places = 0;
  return {
    place() {
      places += 1;
      return `s3://${bucket}/place-${places}?endpoint=${encodeURIComponent(endpoint)}&path_style=true`;
    },
    environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    credentials: { accessKeyId, secretAccessKey },
    endpoint,
    bucket,
    folder: join(data, bucket),
    get pid() {
      return server?.child.pid ?? 0;
    },
    stop,
    async start() {
      server ??= await start();
    },
    freeze: () => void server?.child.kill("SIGSTOP"),
    thaw: () => void server?.child.kill("SIGCONT"),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
