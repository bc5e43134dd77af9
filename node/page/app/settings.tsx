// SPDX-License-Identifier: MPL-2.0
// What a person sets: who they are, the language, how much of the line is used, what is announced.
import { useState } from "preact/hooks";
import { ANNOUNCE, announces } from "./announce";
import { Bandwidth } from "./bandwidth";
import { DeviceTest } from "./devices";
import { KeysSwitch } from "./help";
import { LanguageChoice, NameForm, useNaming } from "./home";
import { Dialog, useAround } from "./ui";

export function Settings({ name, close, help, setLanguage }: {
  name: string; close(): void; help(): void; setLanguage(code: string): void;
}) {
  const { text } = useAround();
  const naming = useNaming(name);
  const [announce, setAnnounce] = useState(announces());
  return (
    <Dialog title={text("settings.title")} close={close} closeText={text("settings.close")}>
      <Bandwidth />
      <hr />
      <DeviceTest />
      <hr />
      <LanguageChoice set={setLanguage} />
      <NameForm naming={naming} />
      <hr />
      <label class="choice">
        <input type="checkbox" checked={announce} onChange={({ currentTarget: at }) => {
          setAnnounce(at.checked);
          localStorage.setItem(ANNOUNCE, at.checked ? "on" : "off");
        }} /> {text("settings.announce")}
      </label>
      <KeysSwitch />
      <p><button type="button" onClick={help}>{text("help.open")}</button></p>
    </Dialog>
  );
}
