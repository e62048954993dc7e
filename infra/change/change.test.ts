// Who may change what, in which order, and after which approval. AWS is played by what it says on its command line; the
// templates and parameter files are the real ones.

import { describe, expect, it } from "@jest/globals";
import { readPlatform } from "../platform.ts";
import { apply, drift, plan, status, takeDown } from "./change.ts";
import { type Aws, AwsError } from "./cloudformation.ts";
import { stackNamed } from "./stacks.ts";

const platform = readPlatform();

interface Played {
  Status: string;
  Tags: { Key: string; Value: string }[];
  Protected: boolean;
  Next?: string[];
}

/** An account at AWS with these stacks, which remembers what it was told to do. */
function account(options: { account?: string; changes?: object[]; fails?: boolean } = {}) {
  const stacks = new Map<string, Played>();
  const done: string[] = [];
  const wordAfter = (words: readonly string[], name: string) => words[words.indexOf(name) + 1] ?? "";
  const aws: Aws = async (words) => {
    const [service, verb] = words;
    const name = wordAfter(words, "--stack-name");
    const stack = stacks.get(name);
    if (service === "sts") return { Account: options.account ?? platform.account };
    if (verb === "list-exports") return { Exports: [] };
    if (verb === "describe-stacks") {
      if (stack === undefined) throw new AwsError(`Stack with id ${name} does not exist`);
      return {
        Stacks: [{ StackStatus: stack.Status, Tags: stack.Tags, EnableTerminationProtection: stack.Protected }],
      };
    }
    if (verb === "create-change-set") {
      const tags = words.slice(words.indexOf("--tags") + 1).filter((word) => word.startsWith("Key="));
      const made = stack ?? { Status: "REVIEW_IN_PROGRESS", Tags: [], Protected: false };
      stacks.set(name, { ...made, Next: tags });
    }
    if (verb === "describe-change-set") {
      if (options.changes?.length === 0)
        return { Status: "FAILED", StatusReason: "The submitted information didn't contain changes." };
      return {
        Status: "CREATE_COMPLETE",
        Changes: options.changes ?? [
          { ResourceChange: { Action: "Add", LogicalResourceId: "Vpc", ResourceType: "AWS::EC2::VPC" } },
        ],
      };
    }
    if (verb === "execute-change-set" && stack !== undefined) {
      const Tags = (stack.Next ?? []).map((word) => ({
        Key: word.split(/[=,]/)[1] ?? "",
        Value: word.split("Value=")[1] ?? "",
      }));
      stacks.set(name, { ...stack, Tags, Status: "CREATE_COMPLETE" });
    }
    if (verb === "wait" && options.fails) throw new AwsError("Waiter StackCreateComplete failed");
    if (verb === "describe-stack-events") {
      return {
        StackEvents: [
          { LogicalResourceId: "Vpc", ResourceStatus: "CREATE_FAILED", ResourceStatusReason: "limit reached" },
        ],
      };
    }
    if (verb === "update-termination-protection" && stack)
      stack.Protected = words.includes("--enable-termination-protection");
    if (verb === "delete-stack") stacks.delete(name);
    if (verb === "detect-stack-drift") return { StackDriftDetectionId: name };
    if (verb === "describe-stack-drift-detection-status") {
      const by = wordAfter(words, "--stack-drift-detection-id");
      return {
        DetectionStatus: "DETECTION_COMPLETE",
        StackDriftStatus: by.endsWith("network") ? "DRIFTED" : "IN_SYNC",
      };
    }
    if (verb === "describe-stack-resource-drifts") {
      const PropertyDifferences = [{ PropertyPath: "/CidrBlock", ExpectedValue: "a", ActualValue: "b" }];
      return {
        StackResourceDrifts: [{ LogicalResourceId: "Vpc", StackResourceDriftStatus: "MODIFIED", PropertyDifferences }],
      };
    }
    if (/^(create|execute|delete)/.test(verb ?? "")) done.push(`${verb} ${name}`);
    return undefined;
  };
  const said: string[] = [];
  return {
    stacks,
    done,
    said,
    with: (typed: string) => ({ aws, platform, say: (line: string) => void said.push(line), ask: async () => typed }),
  };
}

/** Plans and applies, as somebody who agrees. */
async function changed(at: ReturnType<typeof account>, place: string, template: string): Promise<void> {
  const { name } = stackNamed(place, template, platform);
  const changeSet = (await plan(place, template, at.with(""))) ?? "";
  await apply(place, template, changeSet, at.with(name));
}

describe("a change of infrastructure", () => {
  it("is shown first and changes nothing; then it is applied by whoever types the stack's name", async () => {
    const at = account();
    const changeSet = (await plan("platform-nonprod", "network", at.with(""))) ?? "";
    expect(at.said.join("\n")).toMatch(/Add\s+Vpc\s+AWS::EC2::VPC/);
    expect(at.done).toEqual(["create-change-set docket-platform-nonprod-network"]);

    await expect(apply("platform-nonprod", "network", changeSet, at.with("yes"))).rejects.toThrow(
      /Nothing was changed/,
    );
    expect(at.done).toHaveLength(1);
    await apply("platform-nonprod", "network", changeSet, at.with("docket-platform-nonprod-network"));
    expect(at.done.at(-1)).toBe("execute-change-set docket-platform-nonprod-network");
  });

  it("goes to PROD only when DEV and STAGE have the very same template", async () => {
    const at = account();
    const prod = () => plan("environment-prod", "cache", at.with(""));
    await expect(prod()).rejects.toThrow(
      "docket-environment-dev-cache does not have this cache.yaml yet; it goes there first.",
    );
    await changed(at, "environment-dev", "cache");
    await expect(prod()).rejects.toThrow(/docket-environment-stage-cache does not have/);
    await changed(at, "environment-stage", "cache");
    expect(await prod()).toMatch(/^change-[0-9a-f]{12}-\d+$/);

    // DEV has moved on, or its change failed: no longer the same.
    const dev = at.stacks.get("docket-environment-dev-cache");
    if (dev) dev.Status = "UPDATE_ROLLBACK_COMPLETE";
    await expect(prod()).rejects.toThrow(/docket-environment-dev-cache/);
  });

  it("is not applied when the template has changed since it was planned", async () => {
    const at = account();
    await plan("account", "registry", at.with(""));
    const apart = apply("account", "registry", "change-0123456789ab-1", at.with("docket-account-registry"));
    await expect(apart).rejects.toThrow(/made from another registry.yaml/);
  });

  it("says so and leaves no change set behind where nothing is to be changed", async () => {
    const at = account({ changes: [] });
    expect(await plan("account", "registry", at.with(""))).toBeUndefined();
    expect(at.done.at(-1)).toBe("delete-change-set docket-account-registry");
  });

  it("shouts when what holds data would be replaced", async () => {
    const at = account({
      changes: [
        {
          ResourceChange: {
            Action: "Modify",
            Replacement: "True",
            LogicalResourceId: "Cluster",
            ResourceType: "AWS::RDS::DBCluster",
          },
        },
        {
          ResourceChange: {
            Action: "Modify",
            Replacement: "False",
            LogicalResourceId: "Subnets",
            ResourceType: "AWS::RDS::DBSubnetGroup",
          },
        },
      ],
    });
    await plan("environment-dev", "database", at.with(""));
    expect(at.said.filter((line) => line.includes("!!!"))).toEqual([expect.stringContaining("AWS::RDS::DBCluster")]);
  });

  it("tells why it failed", async () => {
    const at = account();
    const changeSet = (await plan("platform-nonprod", "network", at.with(""))) ?? "";
    const failing = { ...account({ fails: true }), stacks: at.stacks };
    await expect(
      apply("platform-nonprod", "network", changeSet, failing.with("docket-platform-nonprod-network")),
    ).rejects.toThrow(/Waiter/);
    expect(failing.said.at(-1)).toContain("CREATE_FAILED Vpc: limit reached");
  });

  it("is refused with keys of another account, and for a place or a stack that there is not", async () => {
    await expect(plan("account", "registry", account({ account: "999" }).with(""))).rejects.toThrow(/account 999/);
    await expect(plan("environment-test", "cache", account().with(""))).rejects.toThrow(
      /There is no place "environment-test"/,
    );
    await expect(plan("environment-dev", "network", account().with(""))).rejects.toThrow(/There is no stack "network"/);
  });
});

describe("what is there", () => {
  it("is told with whether its template is the one here", async () => {
    const at = account();
    await changed(at, "account", "registry");
    await status(at.with(""));
    expect(at.said.find((line) => line.startsWith("docket-account-registry "))).toMatch(/CREATE_COMPLETE, as here/);
    expect(at.said.find((line) => line.startsWith("docket-environment-prod-database"))).toMatch(/not there/);
  });

  it("is compared with what somebody did by hand", async () => {
    const at = account();
    await changed(at, "platform-nonprod", "keys");
    expect(await drift("platform-nonprod", at.with(""))).toBe(true);
    await changed(at, "platform-nonprod", "network");
    expect(await drift("platform-nonprod", at.with(""))).toBe(false);
    expect(at.said.at(-1)).toContain("/CidrBlock: a became b");
  });

  it("is taken down from the last to the first, after its name was typed, and not while it is protected", async () => {
    const at = account();
    for (const template of ["keys", "contents", "cache"]) await changed(at, "environment-dev", template);
    await expect(takeDown("environment-dev", at.with("dev"))).rejects.toThrow(/Nothing was deleted/);
    await takeDown("environment-dev", at.with("environment-dev"));
    expect(at.done.filter((line) => line.startsWith("delete"))).toEqual(
      ["cache", "contents", "keys"].map((template) => `delete-stack docket-environment-dev-${template}`),
    );

    await changed(at, "account", "registry");
    await expect(takeDown("account", at.with("account"))).rejects.toThrow(/docket-account-registry is protected/);
  });
});
