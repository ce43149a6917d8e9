import type { Outcome } from "./hold-call.ts";
import type { situations } from "./situations.ts";
import type { Way, WayKind } from "./way.ts";
import { isRegional } from "./ways.ts";

/** What is true of a call: of one to which it happens between turns, and of one to which it happens within a turn. */
export interface Cell {
  readonly between: Outcome;
  /** Absent: what happens between turns is all there is. */
  readonly within?: Outcome;
}

export type CellName = keyof typeof situations | "the database is gone" | "Redis is gone, and the key is replaced";

type ByKind = Readonly<Record<WayKind, Cell>>;

const untouched: Outcome = { failed: {}, requests: [], events: [], signal: null };

/** Every turn from `first` on. */
const failedFrom = (first: number, code: string): Outcome["failed"] =>
  Object.fromEntries(Array.from({ length: 11 - first }, (_, at) => [first + at, code]));

/** Another key serves, which a held socket is opened with once more. */
function replaced(turnsBefore: number, next: string): ByKind {
  const told: Outcome = { ...untouched, signal: "key_replaced" };
  const asked: Outcome = { ...told, requests: [`old ×${turnsBefore}`, `${next} ×${10 - turnsBefore}`] };
  const held: Outcome = { ...told, requests: ["old ×1", `${next} ×1`] };
  const [each, once] = [
    { between: asked, within: asked },
    { between: held, within: held },
  ];
  return { request: each, socket: each, "held socket": once };
}

/**
 * The provider refuses the old key in turn 6 at the latest, and the new one is found at once. The signal of a held socket's slot
 * fires as its handshake is made again, and so the worker opens it once more.
 */
function replacedAtOnce(): ByKind {
  const { request, socket, "held socket": held } = replaced(6, "new");
  const asked = [`old ×5`, "old refused ×1", "new ×5"];
  const each = ({ between, within = between }: Cell): Cell => ({ between: { ...between, requests: asked }, within });
  const once: Cell = { ...held, between: { ...held.between, requests: ["old ×1", "old refused ×1", "new ×2"] } };
  return { request: each(request), socket: each(socket), "held socket": once };
}

/** The provider refuses the only key there is, and what `fallback` says holds from that very request on. */
function refused(code: "key_rejected" | "key_exhausted", next: "platform" | "nobody"): ByKind {
  const told: Outcome = { ...untouched, events: ["key_refused"] };
  const asked = ["old ×5", "old refused ×1"];
  const request: Outcome =
    next === "nobody"
      ? { ...told, requests: asked, failed: failedFrom(6, code) }
      : {
          ...told,
          requests: [...asked, "platform ×5"],
          events: [...told.events, "source_changed: platform"],
          signal: "key_replaced",
        };
  const opened = ["old ×1", "old refused ×1"];
  const held: Outcome =
    next === "nobody"
      ? { ...request, requests: opened }
      : { ...request, requests: [...opened, "platform ×2"], events: [...request.events, "fallback"] };
  return { request: { between: request }, socket: { between: request }, "held socket": { between: held } };
}

/** The platform's key serves. Without a grace an open socket is closed, and its turn is cut. */
function toPlatform(cut: Outcome["failed"]): ByKind {
  const { request, socket, "held socket": held } = replaced(6, "platform");
  const withEvents = ({ between, within = between }: Cell, events: readonly string[], failed = {}): Cell => ({
    between: { ...between, events },
    within: { ...within, events, failed },
  });
  return {
    request: withEvents(request, ["source_changed: platform"]),
    socket: withEvents(socket, ["source_changed: platform"], cut),
    "held socket": withEvents(held, ["source_changed: platform", "fallback"], cut),
  };
}

/** No key serves from turn 7 on. A slot that is held says that its key is gone, and one that is asked for anew that there is none. */
function toNobody(): ByKind {
  const revoked: Outcome = { ...untouched, signal: "key_revoked" };
  const asked: Outcome = { ...revoked, requests: ["old ×6"], failed: failedFrom(7, "key_revoked") };
  const held: Outcome = { ...revoked, requests: ["old ×1"], failed: failedFrom(7, "key_not_configured") };
  const cut = (one: Outcome): Outcome => ({ ...one, failed: { ...one.failed, 6: "key_revoked" } });
  return {
    request: { between: asked, within: asked },
    socket: { between: asked, within: cut(asked) },
    "held socket": { between: held, within: cut(held) },
  };
}

/** Nothing is heard of it; a socket that the provider ends meanwhile is opened again with the key that is known. */
function goingOn(): ByKind {
  const told: Outcome = { ...untouched, events: ["poll_failed", "stale", "feed_recovered"] };
  const each: Cell = { between: { ...told, requests: ["old ×10"] } };
  return { request: each, socket: each, "held socket": { between: { ...told, requests: ["old ×2"] } } };
}

/** A poll finds in turn 5 what was replaced in turn 4. */
function withoutNotices(): ByKind {
  const told = ({ between }: Cell): Cell => ({ between: { ...between, events: ["cache_failed"] } });
  const { request, socket, "held socket": held } = replaced(5, "new");
  return { request: told(request), socket: told(socket), "held socket": told(held) };
}

export const cells: Readonly<Record<CellName, ByKind>> = {
  "rotated softly": replaced(6, "new"),
  "rotated hard": replacedAtOnce(),
  "moved to a region": replaced(6, "old in the region"),
  'deleted, `absent: "platform"`': toPlatform({ 6: "key_revoked" }),
  "the same, with `socketGraceMs`": toPlatform({}),
  'deleted, `absent: "fail"`': toNobody(),
  'refused, `rejected: "fail"`': refused("key_rejected", "nobody"),
  'refused, `rejected: "platform"`': refused("key_rejected", "platform"),
  'exhausted, `exhausted: "fail"`': refused("key_exhausted", "nobody"),
  'exhausted, `exhausted: "platform"`': refused("key_exhausted", "platform"),
  "the database is gone": goingOn(),
  "Redis is gone, and the key is replaced": withoutNotices(),
};

/** The cell of a vendor's way; `undefined` where it cannot happen to it. */
export function cellOf(name: CellName, way: Way): Cell | undefined {
  if (name === "moved to a region" && !isRegional(way)) return undefined;
  const { between, within } = cells[name][way.kind];
  return within === undefined || !way.hasMiddle ? { between } : { between, within };
}
