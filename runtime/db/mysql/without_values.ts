// An error of the driver holds the statement with all its values, and its words may quote one: titles, addresses, hashes
// of passwords. Errors get into logs, so they keep what they mean and lose what they are about.

/** What a driver's error has beside a message. */
interface DriverError extends Error {
  sql?: unknown;
  sqlMessage?: unknown;
}

/** A value ends where the key's or column's name begins, whatever is quoted in it. */
const quoted = [
  /(Duplicate entry ').*(' for key )/s,
  /(Incorrect .{0,40}value: ').*(' for (?:column|function) )/s,
  /(Incorrect .{0,40}value: ').*(')/s,
  /(Truncated incorrect .{0,40}value: ').*(')/s,
  /(?<=You have an error in your SQL syntax.*)(near ').*(' at line )/s,
];

/** Takes the values out of an error of a statement, which is shown as it was written. Answers the same error. */
export function withoutValues(error: unknown, sql: string): unknown {
  if (!(error instanceof Error || Error.isError?.(error))) return error;
  const driver = error as DriverError;
  if ("sql" in driver) driver.sql = sql;
  const { message } = driver;
  const clean = cleaned(message);
  if (typeof driver.sqlMessage === "string") driver.sqlMessage = cleaned(driver.sqlMessage);
  if (clean === message) return error;
  // Its stack begins with the message.
  if (driver.stack !== undefined) driver.stack = driver.stack.replace(message, () => clean);
  driver.message = clean;
  return error;
}

function cleaned(message: string): string {
  const pattern = quoted.find((each) => each.test(message));
  return pattern === undefined ? message : message.replace(pattern, "$1…$2");
}
