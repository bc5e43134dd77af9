// SPDX-License-Identifier: MPL-2.0
// What someone was sent, taken in whatever form it came: a file, a calendar, a picture of a QR code,
// chosen, dropped or pasted.
import { useRef, useState } from "preact/hooks";
import { carriedIn, type Word } from "./calendar";
import { useDrop } from "./drop";
import { readPicture, type Read } from "./picture";
import { Failure, shownName, useAround } from "./ui";

const TEXT_BYTES_MAX = 100_000; // a calendar may hold more than its ticket
const PICTURE = /\.(png|jpe?g|gif|webp|bmp|heic|heif|avif|tiff?)$/i;

const isPicture = (file: File) => file.type.startsWith("image/") || PICTURE.test(file.name);

async function read(file: File): Promise<Read> {
  if (isPicture(file)) return readPicture(file);
  return { text: file.size > TEXT_BYTES_MAX ? "" : await file.text() };
}

// `takes`: what is of use here, `found` gets it; what is something else of ours is told apart.
export function Take({ takes, found }: { takes: Word[]; found(word: Word, text: string): void }) {
  const { text } = useAround();
  const [said, setSaid] = useState("");
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const tell = (ok: string, wrong: string) => {
    setSaid(ok);
    setFailure(wrong);
  };
  const take = async ([file]: File[]) => {
    if (!file || busy) return;
    const name = shownName(file.name);
    setBusy(true);
    tell(text("take.busy"), "");
    try {
      const had = await read(file);
      const carried = "text" in had ? carriedIn(had.text) : null;
      if ("refused" in had) tell("", text(`take.picture.${had.refused}`, { name }));
      else if (!carried) tell("", text(isPicture(file) ? "take.picture.foreign" : "take.none", { name }));
      else if (!takes.includes(carried.word)) tell("", text(`take.wrong.${carried.word}`));
      else {
        tell(text(`take.found.${carried.word}`, { name }), "");
        found(carried.word, carried.text);
      }
    } catch {
      tell("", text("take.none", { name })); // it is gone, or may not be read
    } finally {
      setBusy(false);
    }
  };
  const over = useDrop((files) => void take(files));
  return (
    <div class={`take ${over ? "over" : ""}`}>
      <button type="button" aria-disabled={busy} onClick={() => picker.current!.click()}>
        {text("take.file")}</button>
      <p class="hint">{text(over ? "take.dropNow" : "take.hint")}</p>
      <input ref={picker} type="file" hidden aria-label={text("take.file")}
        accept=".maillon,.ics,.txt,image/*" onChange={({ currentTarget: at }) => {
          void take([...at.files ?? []]);
          at.value = "";
        }} />
      <p class="hint" role="status">{said || null}</p>
      {failure && <Failure>{failure}</Failure>}
    </div>
  );
}
