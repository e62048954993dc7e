import { create } from "@bufbuild/protobuf";
import { DateSchema } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { describe, expect, it } from "vitest";
import TimeText from "~/components/time/TimeText.vue";
import { anna, openPortal } from "./portal.ts";

const noon = Date.UTC(2026, 10, 21, 12);
const minutes = 60_000;
const days = 24 * 60 * minutes;

async function annasDates(user: { locale?: string; timeZone?: string } = {}, now = noon) {
  const portal = await openPortal({ visitor: { user: { ...anna, ...user } } });
  const dates = await portal.run(() => {
    useReader().value = { now, timeZone: "", locale: "" };
    return useDates();
  });
  return { ...dates, [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}

describe("a moment", () => {
  it("is told from now where it is near", async () => {
    await using dates = await annasDates();
    const told = [0, 59_000, 3 * minutes, 59 * minutes, 5 * 60 * minutes, days, 6 * days].map((past) =>
      dates.formatRelative(noon - past),
    );
    expect(told).toEqual([
      "just now",
      "just now",
      "3 minutes ago",
      "59 minutes ago",
      "5 hours ago",
      "yesterday",
      "6 days ago",
    ]);
  });

  it("of the last hours is told in hours, also over midnight", async () => {
    await using dates = await annasDates({}, Date.UTC(2026, 10, 21, 0, 30));
    expect(dates.formatRelative(Date.UTC(2026, 10, 20, 22, 0))).toBe("2 hours ago");
  });

  it("is a date where it is older, with the year where that is another", async () => {
    await using dates = await annasDates();
    expect([dates.formatRelative(noon - 7 * days), dates.formatRelative(noon - 400 * days)]).toEqual([
      "14 Nov",
      "17 Oct 2025",
    ]);
  });

  it("that this clock has not reached is now", async () => {
    await using dates = await annasDates();
    expect(dates.formatRelative(noon + 30 * minutes)).toBe("just now");
  });

  it("is exact in the reader's own zone", async () => {
    await using zurich = await annasDates();
    expect(zurich.formatTime(noon)).toContain("13:00:00");
    await using tokyo = await annasDates({ timeZone: "Asia/Tokyo" });
    expect(tokyo.formatTime(noon)).toContain("21:00:00");
  });

  it("is told in the texts' language with the reader's region", async () => {
    await using american = await annasDates({ locale: "en-US" });
    expect(american.formatRelative(noon - 10 * days)).toBe("Nov 11");
    await using german = await annasDates({ locale: "de-DE" });
    expect(german.formatRelative(noon - 3 * minutes)).toBe("3 minutes ago");
  });

  it("survives a zone or language that nobody knows", async () => {
    await using dates = await annasDates({ locale: "not a locale", timeZone: "Mars/Olympus" });
    expect(dates.formatTime(noon)).toContain("12:00:00");
  });

  it("is a time element with both", async () => {
    await using portal = await openPortal();
    const wrapper = await portal.mount(TimeText, { props: { value: Date.now() - 3 * minutes } });
    expect(wrapper.text()).toBe("3 minutes ago");
    expect(wrapper.attributes("datetime")).toMatch(/^\d{4}-.*Z$/);
    expect(wrapper.attributes("title")).not.toBe("");
  });
});

describe("a date to do something by", () => {
  const due = create(DateSchema, { year: 2026, month: 11, day: 21 });

  it("is judged in the workspace's zone, not the reader's", async () => {
    await using dates = await annasDates({ timeZone: "UTC" }, Date.UTC(2026, 10, 21, 11));
    expect(dates.daysUntil(due, "UTC")).toBe(0);
    // There the day has ended.
    expect(dates.daysUntil(due, "Pacific/Kiritimati")).toBe(-1);
    expect(dates.daysUntil(create(DateSchema, { year: 2026, month: 11, day: 21 }), "Pacific/Pago_Pago")).toBe(0);
  });

  it("is counted in days of the calendar, also where a day has 25 hours", async () => {
    await using dates = await annasDates({}, Date.UTC(2026, 9, 24, 12));
    expect(dates.daysUntil(create(DateSchema, { year: 2026, month: 10, day: 26 }), "Europe/Zurich")).toBe(2);
  });

  it("is today, tomorrow, yesterday or a date", async () => {
    await using dates = await annasDates();
    const told = [20, 21, 22, 25].map((day) =>
      dates.formatDue(create(DateSchema, { year: 2026, month: 11, day }), "UTC"),
    );
    expect(told).toEqual(["Yesterday", "Today", "Tomorrow", "25 Nov"]);
  });

  it("may be of the first century", async () => {
    await using dates = await annasDates();
    expect(dates.formatDate(create(DateSchema, { year: 21, month: 2, day: 3 }))).toBe("3 Feb 21");
  });
});

describe("a size", () => {
  it.each([
    [0n, "0 bytes"],
    [1n, "1 byte"],
    [999n, "999 bytes"],
    [1000n, "1 kB"],
    [1250n, "1.3 kB"],
    [999_949n, "999.9 kB"],
    [999_950n, "1 MB"],
    [5_400_000_000n, "5.4 GB"],
    [9_007_199_254_740_993n, "9 PB"],
  ])("of %s bytes is %s", (bytes, words) => {
    expect(formatSize(bytes)).toBe(words);
  });
});
