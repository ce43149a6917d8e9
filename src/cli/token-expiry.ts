import { z } from "zod";

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** The last millisecond that an ISO date of four digits can name. */
const latestMs = Date.UTC(9999, 11, 31);

/**
 * When a token expires, in ISO 8601: `given` is a date (its beginning in UTC), a time with its zone, or how long from now,
 * as `30m`, `12h`, `90d` or `4w`. `undefined` for what is none of these, or is not later than now.
 */
export function parseExpiry(given: string, nowMs: number): string | undefined {
  const { amount = "", unit = "" } = /^(?<amount>[1-9]\d{0,5})(?<unit>[mhdw])$/u.exec(given)?.groups ?? {};
  const atMs = units[unit] === undefined ? parseTime(given) : nowMs + Number(amount) * units[unit];
  return atMs > nowMs && atMs <= latestMs ? new Date(atMs).toISOString() : undefined;
}

function parseTime(given: string): number {
  const isTime = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(given).success;
  return isTime ? Date.parse(given) : Number.NaN;
}
