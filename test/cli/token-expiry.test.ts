import { expect, it } from "vitest";
import { parseExpiry } from "../../src/cli/token-expiry.ts";

const nowMs = Date.parse("2026-06-01T12:00:00.000Z");

it.each([
  ["30m", "2026-06-01T12:30:00.000Z"],
  ["12h", "2026-06-02T00:00:00.000Z"],
  ["90d", "2026-08-30T12:00:00.000Z"],
  ["4w", "2026-06-29T12:00:00.000Z"],
  ["2027-01-31", "2027-01-31T00:00:00.000Z"],
  ["2027-01-31T10:00:00Z", "2027-01-31T10:00:00.000Z"],
  ["2027-01-31T10:00:00+02:00", "2027-01-31T08:00:00.000Z"],
])("a token that expires %s ends at %s", (given, at) => {
  expect(parseExpiry(given, nowMs)).toBe(at);
});

it.each([
  ...["", "0d", "-1d", "90", "d", "1.5h", "1y", "90 d", "999999999d", "999999w"],
  ...["2026-06-01", "2026-06-01T12:00:00Z", "2027-02-30", "2027-01-31T10:00:00", "31.01.2027", "tomorrow", "Infinity"],
])("a token cannot expire %j: it is no date to come", (given) => {
  expect(parseExpiry(given, nowMs)).toBeUndefined();
});
