// `npm run migrate [-- up | status]`: the migrations of every service, one after the other, each as its own command, as a
// deployment runs them. With one DATABASE_URL for all, `{service}` in it stands for the service's name.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { refuseSharedSchema } from "@docket/runtime/db/url";
import { StartError } from "@docket/runtime/errors";

const help = `npm run migrate [-- up]      applies what is pending to the databases of all services
npm run migrate -- status    lists the migrations of each

DATABASE_URL says which databases, with {service} for the service's name, or DOCKET_DATA_DIR where it is unset. Several may
start at once: they wait for each other. Back goes one service at a time: node services/<service>/migrate.ts --help
`;

const services = fileURLToPath(new URL("../services", import.meta.url));
const words = process.argv.slice(2);
const [word = "up"] = words;

if (word === "--help" || word === "-h") process.stdout.write(help);
else if (words.length > 1 || (word !== "up" && word !== "status")) end(2, help);
else process.exitCode = await runAll(word);

/** The exit code of the first that fails, or 0. */
async function runAll(command: string): Promise<number> {
  try {
    refuseSharedSchema(process.env.DATABASE_URL);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return end(1, `${error.message}\n`);
  }
  for (const service of readdirSync(services).sort()) {
    const program = `${services}/${service}/migrate.ts`;
    if (!existsSync(program)) continue;
    const child = spawn(process.execPath, [program, command], { stdio: "inherit" });
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) return code ?? 1;
  }
  return 0;
}

function end(code: number, text: string): number {
  process.stderr.write(text);
  process.exitCode = code;
  return code;
}
