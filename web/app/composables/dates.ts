// Times and dates in words, in the reader's time zone. The words are those of the texts' language; the order of day and
// month is that of the reader's region. Server and browser say the same at first: what only the browser knows (its zone,
// and what time it is now) comes in after hydration.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Date as CalendarDate } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";

/** What the browser knows of its reader; set by plugins/reader.ts after hydration. */
export interface Reader {
  /** Now, in milliseconds since 1970, at most half a minute old. */
  now: number;
  /** The browser's time zone and language; empty on the server and until hydration. */
  timeZone: string;
  locale: string;
}

const minute = 60_000;
const hour = 60 * minute;

/** What the page knows of its reader. The server's page says when it was made, so that the browser begins with the same. */
export function useReader() {
  return useState<Reader>("reader", () => ({ now: Date.now(), timeZone: "", locale: "" }));
}

export function useDates() {
  const { t, language } = useI18n();
  const { user } = useSession();
  const reader = useReader();

  const locale = computed(() => localeOf(language, user.value?.locale || reader.value.locale));
  const timeZone = computed(() => zoneOf(user.value?.timeZone || reader.value.timeZone));

  /** A moment near enough to be told from now: "3 minutes ago", "yesterday"; a date where it is older. */
  function formatRelative(time: Timestamp | number): string {
    const at = msOf(time);
    const past = Math.max(0, reader.value.now - at);
    if (past < minute) return t("justNow");
    if (past < hour) return ago(locale.value, Math.floor(past / minute), "minute");
    const days = dayNumber(todayIn(timeZone.value, reader.value.now)) - dayNumber(todayIn(timeZone.value, at));
    if (days === 0 || past < 6 * hour) return ago(locale.value, Math.floor(past / hour), "hour");
    if (days < 7) return ago(locale.value, days, "day");
    return formatDate(todayIn(timeZone.value, at));
  }

  /** A moment in full: "21 November 2026 at 14:05:09 GMT+1". */
  function formatTime(time: Timestamp | number): string {
    return formatter(locale.value, { dateStyle: "long", timeStyle: "long", timeZone: timeZone.value }).format(
      msOf(time),
    );
  }

  /** A calendar date, which belongs to no zone: "21 Nov", with its year where that is not this one. */
  function formatDate(date: CalendarDate): string {
    const year = date.year === todayIn(timeZone.value, reader.value.now).year ? undefined : "numeric";
    return formatter(locale.value, { day: "numeric", month: "short", year, timeZone: "UTC" }).format(utcOf(date));
  }

  /** In how many days a date is, judged in this zone (of the workspace): 0 is today, less than 0 is over. */
  function daysUntil(date: CalendarDate, zone: string): number {
    return dayNumber(date) - dayNumber(todayIn(zoneOf(zone), reader.value.now));
  }

  /** A date to do something by: "Today", "Tomorrow", "Yesterday", or the date. */
  function formatDue(date: CalendarDate, zone: string): string {
    const days = daysUntil(date, zone);
    if (Math.abs(days) > 1) return formatDate(date);
    const words = new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" }).format(days, "day");
    return words.charAt(0).toLocaleUpperCase(locale.value) + words.slice(1);
  }

  return { locale, timeZone, formatRelative, formatTime, formatDate, formatDue, daysUntil };
}

/** Milliseconds since 1970 of a moment. */
export function msOf(time: Timestamp | number): number {
  return typeof time === "number" ? time : Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6);
}

/** The calendar date in a zone. */
export function todayIn(timeZone: string, now: number): CalendarDate {
  const parts = formatter("en", { year: "numeric", month: "numeric", day: "numeric", timeZone }).formatToParts(now);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return { $typeName: "docket.document.v1.Date", year: part("year"), month: part("month"), day: part("day") };
}

function ago(locale: string, n: number, unit: Intl.RelativeTimeFormatUnit): string {
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-n, unit);
}

/** The browser and the server may have other data about languages; spaces are where they differ most. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions) {
  const made = formatterOf(locale, options);
  return {
    format: (time: number) => made.format(time).replaceAll("\u202f", " "),
    formatToParts: (time: number) => made.formatToParts(time),
  };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than using it. Kept for all: there are as many as zones and languages in use. */
function formatterOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let made = formatters.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(locale, { calendar: "gregory", ...options });
    if (formatters.size < 500) formatters.set(key, made);
  }
  return made;
}

function utcOf({ year, month, day }: CalendarDate): number {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function dayNumber(date: CalendarDate): number {
  return Math.round(utcOf(date) / (24 * hour));
}

/** The texts' language with the reader's region: one page does not speak two languages. */
function localeOf(language: string, wanted: string): string {
  try {
    const { region, language: own } = new Intl.Locale(wanted || language);
    if (own === language) return wanted || language;
    return region === undefined ? language : `${language}-${region}`;
  } catch {
    return language;
  }
}

/** A zone that this machine knows; UTC for others. */
function zoneOf(timeZone: string): string {
  try {
    formatterOf("en", { timeZone: timeZone || "UTC" });
    return timeZone || "UTC";
  } catch {
    return "UTC";
  }
}
