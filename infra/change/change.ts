// Changes of infrastructure: planned as a change set that everybody can read, approved, then applied, in DEV first.

import { type Aws, AwsError, type Change, describe, describeChangeSet } from "./cloudformation.ts";
import { before, type Stack, stackNamed, stacksOf } from "./stacks.ts";
import type { Platform } from "../platform.ts";

/** A change that must not be. The message is one sentence. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** What a change has to do with the outside. */
export interface Surroundings {
  readonly aws: Aws;
  readonly platform: Platform;
  say(line: string): void;
  /** What somebody types as approval. */
  ask(question: string): Promise<string>;
}

const digestTag = "docket:template";

/** What holds data or a name that others know: its replacement or removal is shouted. */
const lasting =
  /^AWS::(RDS::DB|S3::Bucket$|KMS::Key$|SecretsManager::Secret$|ElastiCache::Repl|EKS::Cluster$|EC2::(VPC|EIP)$|Route53::HostedZone|ECR::)/;

/** Makes a change set and shows it. Answers its name; undefined where there is nothing to change. */
export async function plan(
  place: string,
  template: string,
  { aws, platform, say }: Surroundings,
): Promise<string | undefined> {
  await refuseOtherAccount(aws, platform);
  const stack = stackNamed(place, template, platform);
  await refuseUntried(aws, platform, stack);
  const deployed = await describe(aws, stack.name);
  const changeSet = `change-${stack.digest.slice(0, 12)}-${Date.now()}`;
  await aws([
    "cloudformation",
    "create-change-set",
    ...["--stack-name", stack.name, "--change-set-name", changeSet],
    ...["--change-set-type", deployed === undefined ? "CREATE" : "UPDATE"],
    ...["--template-body", `file://${stack.file}`],
    ...["--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    ...(Object.keys(stack.parameters).length === 0 ? [] : ["--parameters", ...parameterWords(stack)]),
    ...["--tags", `Key=${digestTag},Value=${stack.digest}`, `Key=docket:place,Value=${place}`],
    ...(await roleWords(aws, stack)),
  ]);
  const ready = ["--stack-name", stack.name, "--change-set-name", changeSet];
  // Waiting for one without changes fails; what it is, its description says.
  await aws(["cloudformation", "wait", "change-set-create-complete", ...ready]).catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error;
  });
  const changes = await describeChangeSet(aws, stack.name, changeSet);
  if (changes === undefined) {
    await aws(["cloudformation", "delete-change-set", ...ready]);
    say(`${stack.name}: nothing to change.`);
    return undefined;
  }
  say(`${stack.name}: change set ${changeSet}, ${deployed === undefined ? "a new stack" : `now ${deployed.status}`}`);
  for (const change of changes) say(lineOf(change));
  say(`Approve and apply: npm run infra -- apply ${place} ${template} ${changeSet}`);
  return changeSet;
}

/** Applies a change set that was planned from the template as it is here, after somebody has typed the stack's name. */
export async function apply(
  place: string,
  template: string,
  changeSet: string,
  { aws, platform, say, ask }: Surroundings,
): Promise<void> {
  await refuseOtherAccount(aws, platform);
  const stack = stackNamed(place, template, platform);
  await refuseUntried(aws, platform, stack);
  if (!changeSet.startsWith(`change-${stack.digest.slice(0, 12)}-`)) {
    throw new RefusedError(
      `The change set ${changeSet} was made from another ${template}.yaml than the one here; plan again.`,
    );
  }
  const deployed = await describe(aws, stack.name);
  for (const change of (await describeChangeSet(aws, stack.name, changeSet)) ?? []) say(lineOf(change));
  const typed = await ask(`To apply this, type ${stack.name}: `);
  if (typed.trim() !== stack.name)
    throw new RefusedError(`Nothing was changed: ${JSON.stringify(typed.trim())} was typed.`);
  await aws(["cloudformation", "execute-change-set", "--stack-name", stack.name, "--change-set-name", changeSet]);
  const kind = deployed === undefined ? "stack-create-complete" : "stack-update-complete";
  try {
    await aws(["cloudformation", "wait", kind, "--stack-name", stack.name]);
  } catch (error) {
    for (const line of await faults(aws, stack.name)) say(line);
    throw error;
  }
  const protect =
    place.endsWith("prod") || place === "account"
      ? "--enable-termination-protection"
      : "--no-enable-termination-protection";
  await aws(["cloudformation", "update-termination-protection", protect, "--stack-name", stack.name]);
  say(`${stack.name}: done.`);
}

/** For each stack of each place: whether it is there, and whether its template is the one here. */
export async function status({ aws, platform, say }: Surroundings): Promise<void> {
  for (const place of Object.keys(before)) {
    for (const stack of stacksOf(place, platform)) {
      const deployed = await describe(aws, stack.name);
      const same = deployed?.tags[digestTag] === stack.digest ? "as here" : "another template";
      say(`${stack.name.padEnd(44)} ${deployed === undefined ? "not there" : `${deployed.status}, ${same}`}`);
    }
  }
}

/** What somebody has changed by hand. Answers whether nothing was. */
export async function drift(place: string, { aws, platform, say }: Surroundings): Promise<boolean> {
  let sound = true;
  for (const stack of stacksOf(place, platform)) {
    if ((await describe(aws, stack.name)) === undefined) continue;
    const words = ["cloudformation", "detect-stack-drift", "--stack-name", stack.name];
    const { StackDriftDetectionId: id } = (await aws(words)) as { StackDriftDetectionId: string };
    const state = await driftState(aws, id);
    say(`${stack.name.padEnd(44)} ${state}`);
    if (state === "IN_SYNC") continue;
    sound = false;
    for (const line of await driftedResources(aws, stack.name)) say(line);
  }
  return sound;
}

/** Takes a place down, its stacks from the last to the first, after somebody has typed its name. */
export async function takeDown(place: string, { aws, platform, say, ask }: Surroundings): Promise<void> {
  await refuseOtherAccount(aws, platform);
  const stacks = stacksOf(place, platform).reverse();
  const present: Stack[] = [];
  for (const stack of stacks) {
    const deployed = await describe(aws, stack.name);
    if (deployed?.protected) {
      throw new RefusedError(
        `${stack.name} is protected; who really wants this takes its termination protection away first.`,
      );
    }
    if (deployed !== undefined) present.push(stack);
  }
  for (const { name } of present) say(`would be deleted: ${name}`);
  const typed = await ask(`To delete all of this, type ${place}: `);
  if (typed.trim() !== place) throw new RefusedError(`Nothing was deleted: ${JSON.stringify(typed.trim())} was typed.`);
  for (const { name } of present) {
    await aws(["cloudformation", "delete-stack", "--stack-name", name]);
    await aws(["cloudformation", "wait", "stack-delete-complete", "--stack-name", name]);
    say(`${name}: deleted.`);
  }
  say("Buckets, keys, images and the secrets that encrypt secrets are kept: infra/README.md says how they go.");
}

/** Account numbers are checked before anything else: keys of another account would build a second Docket there. */
async function refuseOtherAccount(aws: Aws, { account }: Platform): Promise<void> {
  const { Account } = (await aws(["sts", "get-caller-identity"])) as { Account: string };
  if (Account !== account)
    throw new RefusedError(`These are keys of account ${Account}, and platform.yaml names another.`);
}

/** Refuses what the places before do not have. */
async function refuseUntried(aws: Aws, platform: Platform, stack: Stack): Promise<void> {
  for (const place of before[stack.place] ?? []) {
    const earlier = stackNamed(place, stack.template, platform);
    const deployed = await describe(aws, earlier.name);
    if (deployed?.tags[digestTag] !== stack.digest || !/^(CREATE|UPDATE)_COMPLETE$/.test(deployed.status)) {
      throw new RefusedError(`${earlier.name} does not have this ${stack.template}.yaml yet; it goes there first.`);
    }
  }
}

function parameterWords({ parameters }: Stack): string[] {
  // As JSON, since the short form takes commas for its own.
  return [
    JSON.stringify(
      Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    ),
  ];
}

/** The role that CloudFormation works with, once delivery.yaml has made it; the stack of it itself is changed by people. */
async function roleWords(aws: Aws, stack: Stack): Promise<string[]> {
  if (stack.place === "account") return [];
  const { Exports } = (await aws(["cloudformation", "list-exports"])) as { Exports: { Name: string; Value: string }[] };
  const role = Exports.find(({ Name }) => Name === "docket-cloudformation");
  return role === undefined ? [] : ["--role-arn", role.Value];
}

function lineOf({ action, resource, type, replacement }: Change): string {
  const gone = action === "Remove" || replacement === "True" || replacement === "Conditional";
  const shout = gone && lasting.test(type) ? "   !!! WHAT IT HOLDS WOULD BE GONE OR ELSEWHERE" : "";
  const how = replacement === "" || replacement === "False" ? action : `${action}, replacement: ${replacement}`;
  return `  ${how.padEnd(32)} ${resource.padEnd(36)} ${type}${shout}`;
}

/** Why a change failed, as CloudFormation noted it, the first cause first. */
async function faults(aws: Aws, stack: string): Promise<string[]> {
  const { StackEvents } = (await aws(["cloudformation", "describe-stack-events", "--stack-name", stack])) as {
    StackEvents: { LogicalResourceId: string; ResourceStatus: string; ResourceStatusReason?: string }[];
  };
  return StackEvents.slice(0, 200)
    .filter(({ ResourceStatus }) => ResourceStatus.endsWith("_FAILED"))
    .reverse()
    .map((event) => `  ${event.ResourceStatus} ${event.LogicalResourceId}: ${event.ResourceStatusReason ?? ""}`);
}

async function driftState(aws: Aws, id: string): Promise<string> {
  for (;;) {
    const words = ["cloudformation", "describe-stack-drift-detection-status", "--stack-drift-detection-id", id];
    const found = (await aws(words)) as {
      DetectionStatus: string;
      StackDriftStatus?: string;
      DetectionStatusReason?: string;
    };
    if (found.DetectionStatus === "DETECTION_COMPLETE") return found.StackDriftStatus ?? "UNKNOWN";
    if (found.DetectionStatus === "DETECTION_FAILED") return `not told: ${found.DetectionStatusReason}`;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}

async function driftedResources(aws: Aws, stack: string): Promise<string[]> {
  const filter = ["--stack-resource-drift-status-filters", "MODIFIED", "DELETED"];
  const words = ["cloudformation", "describe-stack-resource-drifts", "--stack-name", stack, ...filter];
  const { StackResourceDrifts } = (await aws(words)) as {
    StackResourceDrifts: {
      LogicalResourceId: string;
      StackResourceDriftStatus: string;
      PropertyDifferences?: { PropertyPath: string; ExpectedValue: string; ActualValue: string }[];
    }[];
  };
  return StackResourceDrifts.flatMap(({ LogicalResourceId, StackResourceDriftStatus, PropertyDifferences = [] }) => [
    `  ${StackResourceDriftStatus} ${LogicalResourceId}`,
    ...PropertyDifferences.map((each) => `    ${each.PropertyPath}: ${each.ExpectedValue} became ${each.ActualValue}`),
  ]);
}
