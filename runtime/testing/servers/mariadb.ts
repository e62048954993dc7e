// A MariaDB server of a test's own: Debian's package mariadb-server, on a free port, in a throw-away folder.

import { execFile } from "node:child_process";
import { chmod, chown, mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { type TemporaryFolder, temporaryFolder } from "../temporary_folder.ts";
import { freePort, needCommand, type ServerProcess, startServer } from "./process.ts";

/** A MariaDB server that runs. */
export interface MariadbServer extends AsyncDisposable {
  readonly port: number;
  readonly child: () => ServerProcess["child"];
  /** The URL of a schema, as root: `mariadb://root:…@127.0.0.1:<port>/<schema>`. */
  url(schema: string): string;
  /** Runs statements as root, and answers the rows of the last. */
  run(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  /** Ends it at once, as by kill -9, and leaves its data. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

const password = "only-for-tests";

/** Settings of the server, beside those that every one has: `["--ssl-cert=…"]`. */
export async function startMariadb(settings: readonly string[] = []): Promise<MariadbServer> {
  const daemon = needCommand("mariadbd", "Debian's package mariadb-server");
  const installer = needCommand("mariadb-install-db", "Debian's package mariadb-server");
  const folder = await temporaryFolder();
  try {
    return await startIn(folder, daemon, installer, settings);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function startIn(
  folder: TemporaryFolder,
  daemon: string,
  installer: string,
  settings: readonly string[],
): Promise<MariadbServer> {
  const data = join(folder.path, "data");
  // The server refuses to run as root; then it runs as the account that its package has made.
  const account = userInfo().uid === 0 ? ["--user=mysql"] : [];
  // Its own, since two that are made at once would remove each other's temporary tables.
  const temporary = join(folder.path, "tmp");
  await mkdir(temporary);
  if (account.length > 0) for (const path of [folder.path, temporary]) await giveTo("mysql", path);
  const options = ["--no-defaults", ...account, `--datadir=${data}`, `--tmpdir=${temporary}`];
  await promisify(execFile)(installer, [...options, "--auth-root-authentication-method=normal", "--skip-test-db"]);
  const port = await freePort();
  const connect = (secret: string) =>
    createConnection({ host: "127.0.0.1", port, user: "root", password: secret, multipleStatements: false });
  const answers = async (secret: string) => {
    try {
      await (await connect(secret)).end();
      return true;
    } catch {
      return false;
    }
  };
  const parameters = [
    ...options,
    `--socket=${join(folder.path, "socket")}`,
    `--pid-file=${join(folder.path, "pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--max-connections=600",
    "--innodb-buffer-pool-size=512M",
    "--innodb-log-file-size=256M",
    // A kill of the process loses nothing under it; only a power cut does.
    "--innodb-flush-log-at-trx-commit=2",
    ...settings,
  ];
  const launch = async () =>
    await startServer(daemon, parameters, async () => (await answers("")) || answers(password));
  let server = await launch();
  const root = await connect("");
  await root.query(`alter user root@localhost identified by '${password}'`);
  await root.query(`grant all on *.* to root@'127.0.0.1' identified by '${password}' with grant option`);
  await root.end();
  return {
    port,
    child: () => server.child,
    url: (schema) => `mariadb://root:${password}@127.0.0.1:${port}/${schema}`,
    async run(...statements) {
      const connection = await connect(password);
      try {
        let rows: readonly Record<string, unknown>[] = [];
        for (const statement of statements) {
          const [result] = await connection.query(statement);
          rows = Array.isArray(result) ? (result as Record<string, unknown>[]) : [];
        }
        return rows;
      } finally {
        await connection.end();
      }
    },
    async kill() {
      await server[Symbol.asyncDispose]();
    },
    async start() {
      server = await launch();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function giveTo(name: string, path: string): Promise<void> {
  const ids = await Promise.all(["-u", "-g"].map((kind) => promisify(execFile)("id", [kind, name])));
  const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
  await chown(path, uid ?? 0, gid ?? 0);
  await chmod(path, 0o755);
}
