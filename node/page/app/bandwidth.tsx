// SPDX-License-Identifier: MPL-2.0
// How much of the line this node may use: what pictures may cost, and a ceiling over everything.
import { useEffect, useState } from "preact/hooks";
import { Failure, Form, useAround, useAsking } from "./ui";

const LEVELS = ["all", "slides", "voice"];

export function Bandwidth() {
  const { model, text } = useAround();
  const [level, setLevel] = useState("");
  const [ceiling, setCeiling] = useState("");
  const [applied, setApplied] = useState(false);
  const { busy, failure, run } = useAsking();
  const had = (set: { level: string; max_kbit: number }) => {
    setLevel(set.level);
    setCeiling(set.max_kbit > 0 ? String(set.max_kbit) : "");
  };
  useEffect(() => void run(async () => had(await model.ask("bandwidth"))), []);
  const submit = () => run(async () => {
    had(await model.ask("bandwidth", { level, max: Number(ceiling) }));
    setApplied(true);
  });
  return (
    <Form label={text("settings.bandwidth")} submit={submit}>
      <fieldset>
        <legend>{text("settings.bandwidth")}</legend>
        {LEVELS.map((one) => (
          <label key={one} class="choice">
            <input type="radio" name="level" value={one} checked={level === one} onChange={() => {
              setLevel(one);
              setApplied(false);
            }} /> {text(`settings.level.${one}`)}
          </label>
        ))}
        <label class="field"><span>{text("settings.ceiling")}</span>
          <input type="number" min={8} max={1000000} value={ceiling} aria-describedby="ceiling-hint"
            onInput={(event) => {
              setCeiling(event.currentTarget.value);
              setApplied(false);
            }} /></label>
        <p class="hint" id="ceiling-hint">{text("settings.ceiling.hint")}</p>
      </fieldset>
      <div class="row">
        <button type="submit" aria-disabled={busy || !level}>{text("settings.apply")}</button>
        <span role="status">{applied && text("settings.applied")}</span>
      </div>
      {failure && <Failure>{failure}</Failure>}
    </Form>
  );
}
