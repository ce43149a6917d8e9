import type { AccountState } from "./egress/vendor.ts";

/** The voices that every account has: https://elevenlabs.io/docs/capabilities/voices. Any other may be one account's own. */
const everybodysVoices: readonly string[] = [
  "21m00Tcm4TlvDq8ikWAM",
  "9BWtsMINqrJLrRacOk9x",
  "AZnzlk1XvdvUeBnXmlld",
  "CwhRBWXzGAHq8TQ4Fs17",
  "EXAVITQu4vr4xnSDxMaL",
  "ErXwobaYiN019PkySvjV",
  "FGY2WhTYpPnrIDTdsKH5",
  "IKne3meq5aSn9XLyUdCD",
  "JBFqnCBsd6RMkjVDRZzb",
  "MF3mGyEYCl7XYWbV9V6O",
  "N2lVS1w4EtoT3dr4eOWO",
  "SAz9YHcvj6GT2YYXdXww",
  "TX3LPaxmHKxFdv7VOQHJ",
  "TxGEqnHWrfWFTfGW9XjX",
  "VR6AewLTigWG4xSOukaG",
  "XB0fDUnXU5powFXDhCwa",
  "Xb7hH8MSUJpSbSDYk0k2",
  "XrExE9yKIg1WjnnlVkGX",
  "bIHbv24MWmeRgasZH58o",
  "cgSgspJ2msm6clMCkdW9",
  "cjVigY5qzO86Huf0OWal",
  "iP95p4xoKVk53GoZ742B",
  "nPczCjzI2devNBz1zQrb",
  "onwK4e9ZLuTAKqWW03F9",
  "pFZP5JQG7iQjIQuC4Bku",
  "pNInz6obpgDQGcFmaJgB",
  "pqHfZKP75CvOlQylNhV4",
  "yoZ06aMxZJJ28mfd3POQ",
];

const ownVoice = `/(?:text|speech)-to-speech/(?!(?:${everybodysVoices.join("|")})(?:[/?]|$))`;
const ownThings = "/(?:agents|convai|dubbing|history|projects|pronunciation-dictionaries|studio|voices)(?:[/?]|$)";

export const elevenlabsAccountState: AccountState = {
  path: new RegExp(`${ownVoice}|${ownThings}`, "u"),
  body: new RegExp(
    `"pronunciation_dictionary_locators"\\s*:\\s*\\[\\s*\\{|"voice_id"\\s*:\\s*"(?!(?:${everybodysVoices.join("|")})")`,
    "u",
  ),
};
