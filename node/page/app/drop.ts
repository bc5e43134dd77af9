// SPDX-License-Identifier: MPL-2.0
// Files dropped anywhere on the page go to what was opened last; never does the browser leave for
// one, whether or not anything takes it.
import { useEffect, useRef, useState } from "preact/hooks";

type Files = (files: File[]) => void;

interface Taker { take: { current: Files }; over(is: boolean): void }

const takers: Taker[] = [];
const last = () => takers[takers.length - 1];
const holds = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

addEventListener("dragover", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  last()?.over(true);
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) last()?.over(false);
});
addEventListener("drop", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  last()?.over(false);
  last()?.take.current([...event.dataTransfer!.files]);
});
// A picture on the clipboard is a file too: a screenshot of a code.
addEventListener("paste", (event) => {
  const files = [...event.clipboardData?.files ?? []];
  if (files.length === 0) return;
  event.preventDefault();
  last()?.take.current(files);
});

// True while files are held above the page.
export function useDrop(take: Files): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const taker = { take: latest, over: setOver };
    takers.push(taker);
    return () => {
      takers.splice(takers.indexOf(taker), 1);
    };
  }, []);
  return over;
}
