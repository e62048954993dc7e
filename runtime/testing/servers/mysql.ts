// A MySQL server of a test's own, without installing it: Debian unstable's packages, with their own C library, unpacked
// into a folder. Unstable cannot be pinned, so what runs is the newest that it has.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { temporaryFolder } from "../temporary_folder.ts";
import { freePort, startServer } from "./process.ts";

const execute = promisify(execFile);

/** A MySQL server that runs. */
export interface MysqlServer extends AsyncDisposable {
  /** As the server says it: `9.7.1`. */
  readonly version: string;
  /** `mysql://root:…@127.0.0.1:<port>`, an account that may make schemas; without a schema. */
  readonly url: string;
}

const password = "only-for-tests";

/**
 * Starts one from packages that are kept in `packages`; they are fetched when that folder is empty. Needs Debian's apt and
 * the rights of root, since the server runs as an account of its own.
 */
export async function startMysql(packages: string): Promise<MysqlServer> {
  const root = join(packages, "root", "usr");
  const daemon = join(root, "sbin", "mysqld");
  if (!existsSync(daemon)) await unpack(packages);
  const [uid, gid] = await account();
  const folder = await temporaryFolder();
  await chown(folder.path, uid, gid);
  await chmod(folder.path, 0o755);
  const port = await freePort();
  const parameters = [
    "--library-path",
    `${join(root, "lib/x86_64-linux-gnu")}:${join(root, "lib/mysql/private")}`,
    daemon,
    "--no-defaults",
    "--user=mysql",
    `--basedir=${root}`,
    `--lc-messages-dir=${join(root, "share/mysql")}`,
    `--plugin-dir=${join(root, "lib/mysql/plugin")}`,
    `--datadir=${join(folder.path, "data")}`,
    "--secure-file-priv=NULL",
  ];
  const loader = join(root, "lib64/ld-linux-x86-64.so.2");
  await execute(loader, [...parameters, "--initialize-insecure"]);
  const init = join(folder.path, "init.sql");
  await writeFile(
    init,
    `create user root@'127.0.0.1' identified by '${password}'; grant all on *.* to root@'127.0.0.1';\n`,
  );
  const connect = () => createConnection({ host: "127.0.0.1", port, user: "root", password });
  const ready = async () => {
    try {
      await (await connect()).end();
      return true;
    } catch {
      return false;
    }
  };
  const listening = [
    `--init-file=${init}`,
    `--socket=${join(folder.path, "socket")}`,
    `--pid-file=${join(folder.path, "pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--mysqlx=OFF",
    "--max-connections=600",
    "--innodb-flush-log-at-trx-commit=2",
    "--skip-log-bin",
  ];
  const server = await startServer(loader, [...parameters, ...listening], ready);
  const connection = await connect();
  const [rows] = await connection.query("select version() as version");
  await connection.end();
  return {
    version: String((rows as { version: string }[])[0]?.version),
    url: `mysql://root:${password}@127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The ids of the account `mysql`, which is made when it is missing. */
async function account(): Promise<[uid: number, gid: number]> {
  const ids = () =>
    Promise.all(["-u", "-g"].map(async (kind) => Number((await execute("id", [kind, "mysql"])).stdout)));
  const found = await ids().catch(async () => {
    await execute("useradd", ["-r", "-s", "/usr/sbin/nologin", "mysql"]);
    return await ids();
  });
  return [found[0] ?? 0, found[1] ?? 0];
}

/** Fetches with an apt that knows nothing but unstable and writes nowhere but here. */
async function unpack(packages: string): Promise<void> {
  for (const folder of ["apt/lists/partial", "apt/archives/partial", "root"]) {
    await mkdir(join(packages, folder), { recursive: true });
  }
  const { stdout } = await execute("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  const mirror = stdout.split("\n").find((line) => /\/debian\/?$/.test(line));
  if (mirror === undefined) throw new Error("apt knows no mirror of Debian");
  const sources = join(packages, "apt", "sources.list");
  const status = join(packages, "apt", "status");
  await writeFile(sources, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} unstable main\n`);
  await writeFile(status, "");
  const settings = {
    "Dir::State::lists": join(packages, "apt", "lists"),
    "Dir::State::status": status,
    "Dir::Cache": join(packages, "apt"),
    "Dir::Cache::archives": join(packages, "apt", "archives"),
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "/nonexistent",
    "APT::Install-Recommends": "0",
    "APT::Sandbox::User": "root",
  };
  const config = join(packages, "apt", "conf");
  await writeFile(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(""),
  );
  const env = { ...process.env, APT_CONFIG: config };
  await execute("apt-get", ["-qq", "update"], { env });
  await execute("apt-get", ["-qq", "-y", "-d", "install", "mysql-server-core"], { env });
  const archives = join(packages, "apt", "archives");
  for (const file of (await readdir(archives)).filter((name) => name.endsWith(".deb"))) {
    await execute("dpkg-deb", ["-x", join(archives, file), join(packages, "root")]);
  }
}
