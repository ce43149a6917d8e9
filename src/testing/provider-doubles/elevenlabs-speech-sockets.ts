import { jsonObject, type SocketRoute } from "./double.ts";
import { formatNamed, PendingText, refuseSpeaking, spokenChunk, unreadable } from "./elevenlabs-wire.ts";

/** Shapes: SendMessage and ReceiveMessage of @elevenlabs/elevenlabs-js 2.73. */
export const streamInputSocket: SocketRoute = {
  path: /^\/v1\/text-to-speech\/[^/]+\/stream-input$/u,
  refuseOpen: refuseSpeaking,
  serve(socket, { searchParams }) {
    const format = formatNamed(searchParams.get("output_format"));
    const pending = new PendingText();
    const send = (message: object): void => socket.send(JSON.stringify(message));
    const speak = (isWhole: boolean): void => {
      const text = pending.take(isWhole);
      if (text !== "") send(spokenChunk(text, format));
    };
    socket.on("message", (data: Buffer) => {
      const { text, flush } = jsonObject(data);
      if (typeof text !== "string") {
        send(unreadable);
        socket.close(unreadable.code, unreadable.message);
        return;
      }
      pending.add(text);
      speak(flush === true || text === "");
      if (text !== "") return;
      send({ audio: null, isFinal: true });
      socket.close(1_000);
    });
  },
};

/** Shapes: SendMessageMulti and ReceiveMessageMulti of @elevenlabs/elevenlabs-js 2.73. */
export const multiStreamInputSocket: SocketRoute = {
  path: /^\/v1\/text-to-speech\/[^/]+\/multi-stream-input$/u,
  refuseOpen: refuseSpeaking,
  serve(socket, { searchParams }) {
    const format = formatNamed(searchParams.get("output_format"));
    const contexts = new Map<string, PendingText>();
    const send = (message: object): void => socket.send(JSON.stringify(message));
    const speak = (contextId: string, pending: PendingText, isWhole: boolean): void => {
      const text = pending.take(isWhole);
      if (text !== "") send({ ...spokenChunk(text, format), contextId });
    };
    const end = (contextId: string): void => {
      const pending = contexts.get(contextId);
      if (pending === undefined) return;
      speak(contextId, pending, true);
      contexts.delete(contextId);
      send({ isFinal: true, contextId });
    };
    socket.on("message", (data: Buffer) => {
      const message = jsonObject(data);
      const { text, context_id: given, flush, close_context: closes, close_socket: closesAll } = message;
      const contextId = typeof given === "string" ? given : "default";
      if (closesAll === true) {
        for (const id of [...contexts.keys()]) end(id);
        socket.close(1_000);
      } else if (closes === true) end(contextId);
      else if (typeof text === "string" || flush === true) {
        const pending = contexts.get(contextId) ?? new PendingText();
        contexts.set(contextId, pending);
        pending.add(typeof text === "string" ? text : "");
        speak(contextId, pending, flush === true);
      } else {
        send(unreadable);
        socket.close(unreadable.code, unreadable.message);
      }
    });
  },
};
