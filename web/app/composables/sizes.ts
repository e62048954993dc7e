// Sizes in words.

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;

/** A number of bytes: "532 bytes", "1.2 MB"; a kilobyte is 1000 bytes. */
export function formatSize(bytes: bigint | number, locale = "en"): string {
  let size = Math.max(0, Number(bytes));
  let unit = 0;
  // What would be rounded up to 1000 is one of the next unit.
  while (Math.round(size * 10) / 10 >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return formatterOf(locale, unit).format(size);
}

const formatters = new Map<string, Intl.NumberFormat>();

/** Making one takes longer than using it many times. Kept for all: there are as many as languages in use. */
function formatterOf(locale: string, unit: number): Intl.NumberFormat {
  const key = `${locale} ${unit}`;
  let made = formatters.get(key);
  if (made === undefined) {
    const unitDisplay = unit === 0 ? "long" : "short";
    made = new Intl.NumberFormat(locale, { style: "unit", unit: units[unit], unitDisplay, maximumFractionDigits: 1 });
    if (formatters.size < 500) formatters.set(key, made);
  }
  return made;
}
