// `npm run mesh:explain -- <caller> <rpc> <token>`: names the rule that allows or refuses a call. Ends with 0 when it is allowed,
// with 1 when it is not, and with 2 when the question is none.

import { rpcNameOf, workloadName, workloadNamed, workloads } from "@docket/contracts/policy";
import { type Caller, type ServedMethod, servedMethods, type TokenState, tokenStates } from "./cells.ts";
import { type Call, Explainer } from "./explain.ts";

const usage = `npm run mesh:explain -- [--environment dev] <caller> <rpc> <token>

  caller   ${workloads.map(workloadName).join(", ")};
           stage/gateway for one of another environment; workers call as their workload
  rpc      docket.document.v1.DocumentService/GetDocument, DocumentService/GetDocument or GetDocument;
           health and reflection with where they are asked: Health/Check@document
  token    ${tokenStates.join(", ")}
`;

/** The question cannot be understood; the message says why, and what could be meant. */
export class QuestionError extends Error {
  override name = "QuestionError";
}

/** The call that the arguments ask about. Throws QuestionError. */
export function readQuestion(words: readonly string[], environments: readonly string[]): Call {
  const rest = [...words];
  const option = rest.findIndex((word) => word.startsWith("--"));
  let environment = environments[0] ?? "";
  if (option >= 0) {
    const [flag = "", value = ""] = rest.splice(option, 2);
    if (flag !== "--environment") throw new QuestionError(`${flag} is no option.\n\n${usage}`);
    environment = oneOf("environment", value, environments);
  }
  const [caller, rpc, token, ...more] = rest;
  if (caller === undefined || rpc === undefined || token === undefined || more.length > 0)
    throw new QuestionError(usage);
  return {
    environment,
    caller: callerOf(caller, environment, environments),
    ...methodOf(rpc),
    token: oneOf("token", token, tokenStates) as TokenState,
  };
}

function callerOf(text: string, environment: string, environments: readonly string[]): Caller {
  const [name = "", home = environment] = text.split("/").reverse();
  const workload = workloadNamed(oneOf("workload", name, workloads.map(workloadName)));
  return { environment: oneOf("environment", home, environments), workload: workload ?? 0 };
}

function methodOf(text: string): ServedMethod {
  const [name = "", at] = text.replace(/^\//, "").split("@");
  const all = servedMethods();
  const fitting = all.filter(({ method, workload }) => {
    const full = rpcNameOf(method);
    return (
      (full === name || full.endsWith(`.${name}`) || method.name === name) &&
      (at === undefined || workloadName(workload) === at)
    );
  });
  const [only] = fitting;
  if (fitting.length === 1 && only) return only;
  const words = fitting.map(({ method, workload }) =>
    method.parent.typeName.startsWith("grpc.") ? `${rpcNameOf(method)}@${workloadName(workload)}` : rpcNameOf(method),
  );
  if (fitting.length > 1) throw new QuestionError(`${text} could be ${words.join(" or ")}.`);
  const names = all.map(({ method }) => rpcNameOf(method));
  throw new QuestionError(`There is no RPC ${text}. ${meant(name.split(/[./]/).at(-1) ?? name, names)}`);
}

function oneOf(what: string, text: string, known: readonly string[]): string {
  if (known.includes(text)) return text;
  throw new QuestionError(`There is no ${what} ${JSON.stringify(text)}; there are ${known.join(", ")}.`);
}

/** The names nearest to a word, as a sentence. */
function meant(word: string, names: readonly string[]): string {
  const last = (name: string) => name.split("/").at(-1) ?? name;
  const near = [...new Set(names)]
    .map((name) => ({ name, distance: distanceOf(word.toLowerCase(), last(name).toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3);
  return `Perhaps ${near.map(({ name }) => name).join(", or ")}?`;
}

/** How many letters must change to make one word of the other. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Answers the question, and says how the command ends. */
export function answer(
  words: readonly string[],
  say: (line: string) => void,
  complain: (line: string) => void,
): number {
  if (words.includes("--help") || words.includes("-h")) {
    say(usage);
    return 0;
  }
  const explainer = new Explainer();
  try {
    const { outcome, code, sentence, lacks, reach, route } = explainer.explain(
      readQuestion(words, explainer.environments),
    );
    say(`${outcome}${code === 0 ? "" : ` (${code})`}`);
    say(sentence);
    if (lacks !== undefined) say(lacks);
    if (!reach.allowed || outcome === "allowed") say(reach.sentence);
    if (outcome === "allowed" && route !== undefined) say(route);
    return outcome === "allowed" ? 0 : 1;
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    complain(error.message);
    return 2;
  }
}

if (import.meta.main) {
  process.exitCode = answer(
    process.argv.slice(2),
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
  );
}
