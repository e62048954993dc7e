import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { password, refusal, startWorld, type World } from "./world.ts";

const wrong = "a wrong password 1";

function guess(world: World, email: string, address: string): Promise<string> {
  return refusal(world.from(address).sessions.signIn({ email, password: wrong }));
}

/** How many guesses were let through to the password. */
async function guesses(world: World, email: string, addresses: readonly string[]): Promise<number> {
  let tried = 0;
  for (const address of addresses) if ((await guess(world, email, address)) === "CREDENTIALS_INVALID") tried += 1;
  return tried;
}

const addresses = (count: number, subnet = 0) =>
  Array.from({ length: count }, (_, index) => `203.0.${subnet}.${index + 1}`);

/** Waits double, so that a slow machine lets a few more through than a fast one, but never many. */
const few = 10;

/** `records`: where what is seen is added up. */
export function throttlingCases(seen: (world: World) => void): void {
  describe("guessing passwords", () => {
    it("is slowed for each account, from wherever the guesses come, and tells how long to wait", async () => {
      await using world = await startWorld();
      const anna = await world.signUp("Anna", "198.51.100.1");
      expect(await guesses(world, anna.email, addresses(30))).toBeLessThanOrEqual(few);
      const error = ConnectError.from(
        await world
          .from("203.0.113.99")
          .sessions.signIn({ email: anna.email, password })
          .catch((thrown: unknown) => thrown),
      );
      const wait = error.findDetails(ErrorInfoSchema)[0]?.retryAfter;
      expect(wait && durationMs(wait)).toBeGreaterThan(0);
      // An account that does not exist is slowed alike.
      expect(await guesses(world, "nobody@example.com", addresses(30, 1))).toBeLessThanOrEqual(few);
      seen(world);
    });

    it("does not lock the owner out, also after a restart", async () => {
      await using world = await startWorld();
      const home = "198.51.100.1";
      const anna = await world.signUp("Anna", home);
      await guesses(world, anna.email, addresses(40));
      await world.restart();
      expect(await guess(world, anna.email, "203.0.113.77")).toBe("ATTEMPTS_SLOWED");
      // From where she was signed in before she is, and may even mistype.
      expect(await guess(world, anna.email, home)).toBe("CREDENTIALS_INVALID");
      await world.signIn(anna.email, home);
      // From a new place it is a matter of minutes, and from then on that place is known.
      world.advance(16 * 60_000);
      await world.signIn(anna.email, "192.0.2.50");
      await guesses(world, anna.email, addresses(10, 2));
      await world.signIn(anna.email, "192.0.2.50");
      seen(world);
    });

    it("is slowed from a place that is known as well", async () => {
      await using world = await startWorld();
      const home = "198.51.100.1";
      const anna = await world.signUp("Anna", home);
      expect(await guesses(world, anna.email, Array(30).fill(home))).toBeLessThanOrEqual(11);
      seen(world);
    });

    it("is slowed for each source that tries one account after the other", async () => {
      await using world = await startWorld();
      let tried = 0;
      for (let index = 0; index < 40; index += 1) {
        if ((await guess(world, `somebody${index}@example.com`, "2001:db8:1:2::99")) === "CREDENTIALS_INVALID")
          tried += 1;
      }
      expect(tried).toBeLessThanOrEqual(31);
      // Another address of the same household is the same source.
      expect(await guess(world, "else@example.com", "2001:db8:1:2:ffff::1")).toBe("ATTEMPTS_SLOWED");
      expect(await guess(world, "else@example.com", "2001:db8:1:3::1")).toBe("CREDENTIALS_INVALID");
      seen(world);
    });

    it("is not let through by many guesses at the same moment", async () => {
      await using world = await startWorld();
      const anna = await world.signUp("Anna", "198.51.100.1");
      const answers = await Promise.all(addresses(30).map((address) => guess(world, anna.email, address)));
      expect(answers.filter((answer) => answer === "CREDENTIALS_INVALID").length).toBeLessThanOrEqual(few);
      seen(world);
    });

    it("of addresses is slowed where signing up and resets would tell or be a nuisance", async () => {
      await using world = await startWorld();
      const anna = await world.signUp("Anna", "198.51.100.1");
      const taken = () =>
        refusal(
          world
            .from("203.0.113.5")
            .sessions.signUp({ email: anna.email, password: "unguessable 12", displayName: "X" }),
        );
      const answers: string[] = [];
      for (let index = 0; index < 35; index += 1) answers.push(await taken());
      expect(answers.filter((answer) => answer === "EMAIL_TAKEN").length).toBeLessThanOrEqual(31);
      expect(answers.at(-1)).toBe("ATTEMPTS_SLOWED");
      let refused = "";
      for (let index = 0; index < 35 && refused === ""; index += 1) {
        await world
          .from("203.0.113.6")
          .sessions.requestPasswordReset({ email: `x${index}@example.com` })
          .catch(async (error: unknown) => {
            refused = await refusal(Promise.reject(error));
          });
      }
      expect(refused).toBe("ATTEMPTS_SLOWED");
      seen(world);
    });
  });
}
