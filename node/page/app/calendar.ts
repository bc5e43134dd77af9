// SPDX-License-Identifier: MPL-2.0
// An invitation for a calendar (RFC 5545), and what people carry found again in whatever text it is in.

export interface Invitation {
  uid: string; // the same for the same ticket: carried again, it replaces what it was
  language: string;
  made: Date;
  start: Date;
  minutes: number;
  title: string;
  description: string;
}

const LINE_BYTES = 75; // of UTF-8, without the break
const MINUTE_MS = 60_000;
const CARRIED = /(maillon(?:-join|-answer)?):[a-z2-7]+/i;

const stamp = (date: Date) => date.toISOString().replace(/[-:]|\.\d+/g, "");

// Other control characters have no place in it.
const escaped = (text: string) => text.replace(/\r\n?/g, "\n").replace(/[\\;,]/g, "\\$&")
  .replace(/\n/g, "\\n").replace(/[\u0000-\u001f\u007f]/g, " ");

// No character is cut in two.
function folded(line: string): string {
  const encoder = new TextEncoder();
  const lines = [""];
  let bytes = 0;
  for (const sign of line) {
    const more = encoder.encode(sign).length;
    if (bytes + more > LINE_BYTES) {
      lines.push(" ");
      bytes = 1;
    }
    lines[lines.length - 1] += sign;
    bytes += more;
  }
  return lines.join("\r\n");
}

export function calendar(invitation: Invitation): string {
  const { uid, language, made, start, minutes, title, description } = invitation;
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    `PRODID:-//Maillon//Maillon//${language.toUpperCase()}`,
    "BEGIN:VEVENT",
    `UID:${uid}`,
    `DTSTAMP:${stamp(made)}`,
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(new Date(start.getTime() + minutes * MINUTE_MS))}`,
    `SUMMARY:${escaped(title)}`,
    `DESCRIPTION:${escaped(description)}`,
    "CLASS:PRIVATE",
    "END:VEVENT",
    "END:VCALENDAR",
  ].map((line) => `${folded(line)}\r\n`).join("");
}

// A ticket, the code of someone who joins by hand, the answer to one.
export type Word = "maillon" | "maillon-join" | "maillon-answer";
export interface CarriedText { word: Word; text: string }

// A calendar breaks its lines and goes on after a blank; a file of one of them alone may hold any.
export function carriedIn(text: string): CarriedText | null {
  const alone = text.replace(/[\s\uFEFF]+/g, "");
  const hit = new RegExp(`^${CARRIED.source}$`, "i").exec(alone)
    ?? CARRIED.exec(text.replace(/\r?\n[ \t]/g, ""));
  return hit && { word: hit[1].toLowerCase() as Word, text: hit[0].toLowerCase() };
}

// A name for a file, whatever the title is.
export const fileName = (title: string, ending: string) =>
  `${title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60).replace(/^-+|-+$/g, "") || "maillon"}.${ending}`;
