// A service's settings, declared once: variable, kind, default, meaning. The same declaration reads the environment and
// yields the reference page. The environment is passed in: only a service's config.ts and main.ts know process.env.

import { resolve } from "node:path";
import { inspect } from "node:util";

/** A setting is missing or wrong. The message is one sentence that names the variable, never a secret's value. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** The variable at fault. */
  readonly variable: string;

  constructor(variable: string, message: string) {
    super(message);
    this.variable = variable;
  }
}

/** A value that does not show itself in logs, errors or JSON. */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself, for the one who must have it. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** One declared setting; made by {@link setting}. */
export interface Setting<T> {
  readonly variable: string;
  /** What it does, in a sentence or two. */
  readonly doc: string;
  /** What is accepted, as it follows "must be": `a whole number from 1 to 65535`. */
  readonly accepts: string;
  /** Shown to nobody: neither in errors nor in the reference. */
  readonly secret: boolean;
  /** What holds when the variable is unset or empty, as one would write it; undefined: see `required`. */
  readonly default: string | undefined;
  /** Whether the process refuses to start without it. */
  readonly required: boolean;
  /** The value of a text, or of the default for undefined. Throws ConfigError. */
  read(text: string | undefined): T;
}

/** Settings by name, nested as the configuration shall be. */
export interface Settings {
  readonly [name: string]: Setting<unknown> | Settings;
}

/** The typed values of declared settings. */
export type Values<S> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : Values<S[K]> };

/** What every declaration may say. With neither `default` nor `optional`, the variable is required. */
export interface SettingOptions {
  /** What the setting does. */
  readonly doc: string;
  /** What holds when the variable is unset, written as in the environment ("15m", "5GiB"). */
  readonly default?: string | number | boolean | readonly string[];
  /** Undefined when unset. */
  readonly optional?: true;
  /** The value is a Secret. */
  readonly secret?: true;
}

type Wrapped<T, O> = O extends { secret: true } ? Secret<T> : T;
type Result<T, O> = O extends { optional: true } ? Wrapped<T, O> | undefined : Wrapped<T, O>;

/** Bounds of a number, duration or size; both inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** The kinds of settings. */
export const setting = {
  /** Text of at least one character, of a pattern if there is one; `accepts` then says it in words. */
  string<const O extends SettingOptions & { readonly pattern?: RegExp; readonly accepts?: string }>(
    variable: string,
    options: O,
  ): Setting<Result<string, O>> {
    const { pattern, accepts = "text" } = options;
    return declare(variable, options, accepts, (text) => (!pattern || pattern.test(text) ? text : undefined));
  },

  /** A whole number. */
  integer<const O extends SettingOptions & Bounds>(variable: string, options: O): Setting<Result<number, O>> {
    const accepts = `a whole number${range(options, String)}`;
    return declare(variable, options, accepts, (text) =>
      /^-?\d{1,15}$/.test(text) ? within(Number(text), options) : undefined,
    );
  },

  /** A span of time such as `500ms`, `15m` or `24h`; the value is in milliseconds, as are the bounds. */
  duration<const O extends SettingOptions & Bounds>(variable: string, options: O): Setting<Result<number, O>> {
    const accepts = `a duration such as 500ms, 30s, 15m, 24h or 7d${range(options, (ms) => spell(ms, durationUnits))}`;
    return declare(variable, options, accepts, (text) => within(measure(text, durationUnits), options));
  },

  /** A size such as `512MiB` or `5GiB` (or `5GB`, decimal); the value is in bytes, as are the bounds. */
  bytes<const O extends SettingOptions & Bounds>(variable: string, options: O): Setting<Result<number, O>> {
    const accepts = `a size such as 1048576, 512MiB or 5GiB${range(options, (bytes) => spell(bytes, byteUnits))}`;
    return declare(variable, options, accepts, (text) => within(measure(text, byteUnits), options));
  },

  /** `true` or `false`; also yes/no, on/off, 1/0. */
  boolean<const O extends SettingOptions>(variable: string, options: O): Setting<Result<boolean, O>> {
    return declare(variable, options, "true or false", (text) => {
      if (/^(true|yes|on|1)$/i.test(text)) return true;
      return /^(false|no|off|0)$/i.test(text) ? false : undefined;
    });
  },

  /** One of a few words. */
  choice<const C extends string, const O extends SettingOptions>(
    variable: string,
    choices: readonly C[],
    options: O,
  ): Setting<Result<C, O>> {
    return declare(variable, options, `one of ${choices.join(", ")}`, (text) =>
      choices.find((choice) => choice === text),
    );
  },

  /** A URL, of the given schemes if any are given (`["http", "https"]`). Its value is never shown: it may hold a password. */
  url<const O extends SettingOptions & { readonly schemes?: readonly string[] }>(
    variable: string,
    options: O,
  ): Setting<Result<URL, O>> {
    const { schemes } = options;
    const accepts = `a URL${schemes ? ` that begins with ${schemes.map((scheme) => `${scheme}:`).join(" or ")}` : ""}`;
    return declare(
      variable,
      options,
      accepts,
      (text) => {
        const url = URL.canParse(text) ? new URL(text) : undefined;
        return url && (!schemes || schemes.includes(url.protocol.slice(0, -1))) ? url : undefined;
      },
      true,
    );
  },

  /** Words separated by commas; blanks around them and empty ones are dropped. */
  list<const O extends SettingOptions>(variable: string, options: O): Setting<Result<readonly string[], O>> {
    return declare(variable, options, "words separated by commas", (text) =>
      text
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== ""),
    );
  },

  /** A path; the value is absolute, a relative one being taken from the folder in which the process was started. */
  path<const O extends SettingOptions>(variable: string, options: O): Setting<Result<string, O>> {
    return declare(variable, options, "a path", (text) => (text.includes("\0") ? undefined : resolve(text)));
  },
};

/**
 * The values of the settings in an environment. A variable that is unset or empty takes its default; variables that are
 * not declared are ignored. Throws ConfigError for the first one that is missing or wrong.
 */
export function readSettings<const S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(settings)) {
    values[name] = isSetting(declared) ? declared.read(env[declared.variable]) : readSettings(declared, env);
  }
  return values as Values<S>;
}

/** One row of the settings' reference page. */
export interface SettingRow {
  readonly variable: string;
  readonly accepts: string;
  /** As one would write it; "" when there is none. */
  readonly default: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly doc: string;
}

/** The rows of the reference page, in the order of declaration. */
export function settingsReference(settings: Settings): SettingRow[] {
  return Object.values(settings).flatMap((declared) => {
    if (!isSetting(declared)) return settingsReference(declared);
    const { variable, accepts, required, secret, doc } = declared;
    return [{ variable, accepts, default: secret ? "" : (declared.default ?? ""), required, secret, doc }];
  });
}

function isSetting(declared: Setting<unknown> | Settings): declared is Setting<unknown> {
  return typeof declared.read === "function";
}

function declare<T, O extends SettingOptions>(
  variable: string,
  options: O,
  accepts: string,
  parse: (text: string) => T | undefined,
  hidden = false,
): Setting<Result<T, O>> {
  const secret = options.secret === true;
  const fallback = options.default === undefined ? undefined : String(options.default);
  const required = fallback === undefined && options.optional !== true;
  const wrap = (value: T) => (secret ? new Secret(value) : value) as Result<T, O>;
  const refuse = (text: string) => {
    const shown = secret || hidden ? "" : `, and is ${quote(text)}`;
    return new ConfigError(variable, `${variable} must be ${accepts}${shown}.`);
  };
  const read = (text: string): Result<T, O> => {
    const value = parse(text);
    if (value === undefined) throw refuse(text);
    return wrap(value);
  };
  // A default that breaks its own rule is a defect of the declaration: it is found when the module loads.
  if (fallback !== undefined) read(fallback);
  return {
    variable,
    doc: options.doc,
    accepts,
    secret,
    default: fallback,
    required,
    read(given) {
      // A secret may begin or end with a blank; nothing else is meant to.
      const text = secret ? given : given?.trim();
      if (text !== undefined && text !== "") return read(text);
      if (fallback !== undefined) return read(fallback);
      if (!required) return undefined as Result<T, O>;
      throw new ConfigError(variable, `${variable} must be set: ${accepts}.`);
    },
  };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

type Units = readonly (readonly [unit: string, factor: number])[];

const durationUnits: Units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const byteUnits: Units = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["TB", 1e12],
  ["GB", 1e9],
  ["MB", 1e6],
  ["KB", 1e3],
  ["B", 1],
  ["", 1],
];

function measure(text: string, units: Units): number | undefined {
  const [, digits, unit] = /^(\d{1,15}) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = units.find(([name]) => name.toLowerCase() === unit?.toLowerCase())?.[1];
  const value = digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

function spell(value: number, units: Units): string {
  const [unit, factor] = units.find(([, size]) => value !== 0 && value % size === 0) ?? ["", 1];
  return `${value / factor}${unit}`;
}

function within(value: number | undefined, { min, max }: Bounds): number | undefined {
  if (value === undefined || (min !== undefined && value < min) || (max !== undefined && value > max)) return undefined;
  return value;
}

function range({ min, max }: Bounds, show: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return ` of at least ${show(min)}`;
  return max === undefined ? "" : ` of at most ${show(max)}`;
}
