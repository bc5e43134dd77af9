// SPDX-License-Identifier: MPL-2.0
// The shortcuts, said; and switched off, for who speaks to the machine or presses keys unawares.
import { useState } from "preact/hooks";
import { keysAreOn, letterOf, SHORTCUTS, switchKeys, type Shortcut } from "./keys";
import { Dialog, useAround } from "./ui";

function Keys({ names, between = " + " }: { names: string[]; between?: string }) {
  return <>{names.map((name, at) => <>{at > 0 && between}<kbd key={name}>{name}</kbd></>)}</>;
}

export function KeysSwitch() {
  const { text } = useAround();
  const [on, setOn] = useState(keysAreOn());
  return (
    <label class="choice">
      <input type="checkbox" checked={on} onChange={({ currentTarget: at }) => {
        setOn(at.checked);
        switchKeys(at.checked);
      }} /> {text("help.switch")}
    </label>
  );
}

export function Help({ close }: { close(): void }) {
  const { text } = useAround();
  return (
    <Dialog title={text("help.title")} close={close} closeText={text("help.close")}>
      <table class="keys">
        <caption class="unseen">{text("help.title")}</caption>
        <thead class="unseen"><tr><th scope="col">{text("help.key")}</th>
          <th scope="col">{text("help.does")}</th></tr></thead>
        <tbody>
          {(Object.keys(SHORTCUTS) as Shortcut[]).map((name) => (
            <tr key={name}>
              <th scope="row"><Keys names={[text("help.alt"), text("help.shift"), letterOf(name)]} /></th>
              <td>{text(`help.${name}`)}</td>
            </tr>
          ))}
          <tr><th scope="row"><Keys names={["1", "9"]} between=" … " /></th><td>{text("help.vote")}</td></tr>
          <tr><th scope="row"><Keys names={["?"]} /></th><td>{text("help.this")}</td></tr>
        </tbody>
      </table>
      <p class="hint">{text("help.fields")}</p>
      <KeysSwitch />
    </Dialog>
  );
}
