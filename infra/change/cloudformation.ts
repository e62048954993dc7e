// CloudFormation, as far as changes need it, by the command line of AWS: what is asked here can be typed by hand as well.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as readText } from "node:stream/consumers";

/** Runs `aws <words> --output json` and answers what it printed; undefined where it printed nothing. Throws AwsError. */
export type Aws = (words: readonly string[]) => Promise<unknown>;

/** What the command line of AWS refused, in its words. */
export class AwsError extends Error {
  override name = "AwsError";
}

/** The real one. */
export function awsCommand(region: string): Aws {
  return async (words) => {
    const child = spawn("aws", [...words, "--region", region, "--output", "json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, [code]] = await Promise.all([
      readText(child.stdout),
      readText(child.stderr),
      once(child, "close") as Promise<[number]>,
    ]).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT")
        throw new AwsError("There is no command aws on this machine's path; install the AWS CLI.");
      throw error;
    });
    if (code !== 0) throw new AwsError(err.trim());
    return out.trim() === "" ? undefined : JSON.parse(out);
  };
}

/** A stack as it is at AWS. */
export interface Deployed {
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly protected: boolean;
}

/** One resource that a change set would change. */
export interface Change {
  /** Add, Modify, Remove, Import, Dynamic. */
  readonly action: string;
  readonly resource: string;
  readonly type: string;
  /** True, False or Conditional, of a modification: whether another one takes its place. */
  readonly replacement: string;
}

/** A stack, or undefined where there is none. One that was planned and never made counts as none. */
export async function describe(aws: Aws, name: string): Promise<Deployed | undefined> {
  try {
    const { Stacks } = (await aws(["cloudformation", "describe-stacks", "--stack-name", name])) as {
      Stacks: { StackStatus: string; Tags?: { Key: string; Value: string }[]; EnableTerminationProtection?: boolean }[];
    };
    const [stack] = Stacks;
    if (stack === undefined || stack.StackStatus === "REVIEW_IN_PROGRESS") return undefined;
    const tags = Object.fromEntries((stack.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
    return { status: stack.StackStatus, tags, protected: stack.EnableTerminationProtection === true };
  } catch (error) {
    if (error instanceof AwsError && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** What is in a change set; undefined where it changes nothing. Throws AwsError where it could not be made. */
export async function describeChangeSet(aws: Aws, stack: string, changeSet: string): Promise<Change[] | undefined> {
  const words = ["cloudformation", "describe-change-set", "--stack-name", stack, "--change-set-name", changeSet];
  const found = (await aws(words)) as {
    Status: string;
    StatusReason?: string;
    Changes?: { ResourceChange?: Record<string, string> }[];
  };
  if (found.Status === "FAILED") {
    if (/didn't contain changes|No updates are to be performed/.test(found.StatusReason ?? "")) return undefined;
    throw new AwsError(`The change set could not be made: ${found.StatusReason}`);
  }
  return (found.Changes ?? []).map(({ ResourceChange: change = {} }) => ({
    action: change.Action ?? "",
    resource: change.LogicalResourceId ?? "",
    type: change.ResourceType ?? "",
    replacement: change.Replacement ?? "",
  }));
}
