// SPDX-License-Identifier: MPL-2.0
// What others do, told to a screen reader: at most now and then, the newest of it, and not at all
// where a person wants silence. What one does oneself is answered at once, elsewhere.
import { useEffect, useRef } from "preact/hooks";
import { useAround } from "./ui";

const PAUSE_MS = 4000; // between two announcements
const SENTENCES_MAX = 3; // of one of them

export const ANNOUNCE = "announce";
export const announces = () => localStorage.getItem(ANNOUNCE) !== "off";

export function useAnnounce(): (sentence: string) => void {
  const { say } = useAround();
  const waiting = useRef<string[]>([]);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (sentence) => {
    waiting.current = [...waiting.current, sentence].slice(-SENTENCES_MAX);
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      if (announces()) say(waiting.current.join(" "));
      waiting.current = [];
    }, PAUSE_MS);
  };
}
