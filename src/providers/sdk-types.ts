// biome-ignore-all lint/suspicious/noTsIgnore: an import of what is installed is no error to expect.
/*
 * The types of the SDKs, where they are installed. Where one is not, its type is `any`, and a project that checks the
 * declarations of its libraries compiles all the same: the comments below stay in ours.
 */
/** @ts-ignore */
export type { DeepgramClient } from "@deepgram/sdk";
/** @ts-ignore */
export type { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
/** @ts-ignore */
export type { OpenAI } from "openai";
/** @ts-ignore */
export type { OpenAIRealtimeWS } from "openai/realtime/ws";
/** @ts-ignore */
export type { Resend } from "resend";
