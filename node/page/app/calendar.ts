// SPDX-License-Identifier: MPL-2.0
// An invitation for a calendar (RFC 5545), and the ticket found again in whatever file carried it.

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
const TICKET = /maillon:[a-z2-7]+/i;

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

// A calendar breaks its lines and goes on after a blank; a file of the ticket alone may hold any.
export function ticketIn(text: string): string {
  const alone = text.replace(/\s+/g, "");
  const found = new RegExp(`^\uFEFF?(${TICKET.source})$`, "i").exec(alone)?.[1]
    ?? TICKET.exec(text.replace(/\r?\n[ \t]/g, ""))?.[0] ?? "";
  return found.toLowerCase();
}

// A name for a file, whatever the title is.
export const fileName = (title: string, ending: string) =>
  `${title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60).replace(/^-+|-+$/g, "") || "maillon"}.${ending}`;
