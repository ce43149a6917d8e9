import type { Double } from "./double.ts";
import { elevenlabsRoutes } from "./elevenlabs-routes.ts";
import { multiStreamInputSocket, streamInputSocket } from "./elevenlabs-speech-sockets.ts";
import { transcriptionSocket } from "./elevenlabs-transcription-socket.ts";
import { elevenlabsReasons, elevenlabsRefusal } from "./elevenlabs-wire.ts";

/** ElevenLabs answers a wrong key and a valid one without the scope alike with 401; only `detail.status` tells. */
export const elevenlabsDouble: Double = {
  id: "elevenlabs",
  prefix: "",
  keyOf: (headers) => headers["xi-api-key"]?.toString(),
  wrongKey: elevenlabsRefusal(401, ...elevenlabsReasons.wrongKey),
  restricted: elevenlabsRefusal(
    401,
    "missing_permissions",
    "The API key you used is missing the permission models_read.",
  ),
  quotaExceeded: elevenlabsRefusal(401, ...elevenlabsReasons.quotaExceeded),
  blocked: elevenlabsRefusal(401, "detected_unusual_activity", "Unusual activity detected."),
  routes: elevenlabsRoutes,
  sockets: [transcriptionSocket, streamInputSocket, multiStreamInputSocket],
};
