// SPDX-License-Identifier: MPL-2.0
// What is said to a screen reader. Of what stands behind a dialog it hears nothing: each dialog says
// it as well. The same said twice is heard twice.
import { useEffect, useState } from "preact/hooks";

interface Said { sentence: string; number: number }

let count = 0;
const hearers = new Set<(said: Said) => void>();

export function say(sentence: string): void {
  const said = { sentence, number: ++count };
  for (const hear of hearers) hear(said);
}

export function Spoken() {
  const [{ sentence, number }, hear] = useState<Said>({ sentence: "", number: 0 });
  useEffect(() => {
    hearers.add(hear);
    return () => {
      hearers.delete(hear);
    };
  }, []);
  return (
    <p class="unseen spoken" role="status" aria-live="polite">
      {sentence ? <span key={number}>{sentence}</span> : null}</p>
  );
}
