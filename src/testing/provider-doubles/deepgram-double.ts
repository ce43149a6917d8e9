import { deepgramFluxSocket } from "./deepgram-flux-socket.ts";
import { deepgramLiveSocket } from "./deepgram-live-socket.ts";
import { deepgramRoutes } from "./deepgram-routes.ts";
import { deepgramSpeakSocket } from "./deepgram-speak-socket.ts";
import { deepgramReasons, deepgramRefusal } from "./deepgram-wire.ts";
import { bearer, type Double } from "./double.ts";

/** What a grant opens, and where a subprotocol is read. */
const sockets = /^\/v[12]\/(listen|speak)$/u;

/** A key is shown as `Token`; what `/v1/auth/grant` mints, as `Bearer`. Subprotocols are `token` or `bearer`, and it. */
export const deepgramDouble: Double = {
  id: "deepgram",
  prefix: "",
  keyOf: (headers) => /^Token (?<key>.+)$/iu.exec(headers.authorization ?? "")?.groups?.["key"],
  tokens: { of: bearer, open: sockets },
  protocols: {
    of([scheme = "", shown]) {
      if (shown === undefined || !/^(?:token|bearer)$/iu.test(scheme)) return undefined;
      return { shown, as: [scheme.toLowerCase() === "token" ? "key" : "token"] };
    },
    open: sockets,
  },
  wrongKey: deepgramRefusal(401, ...deepgramReasons.wrongKey),
  restricted: deepgramRefusal(403, "INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."),
  quotaExceeded: deepgramRefusal(402, ...deepgramReasons.quotaExceeded),
  blocked: deepgramRefusal(401, ...deepgramReasons.wrongKey),
  routes: deepgramRoutes,
  sockets: [deepgramLiveSocket, deepgramFluxSocket, deepgramSpeakSocket],
};
