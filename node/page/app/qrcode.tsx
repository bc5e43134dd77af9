// SPDX-License-Identifier: MPL-2.0
// A text as a QR code, which the node draws.
import { useEffect, useState } from "preact/hooks";
import { post } from "./link";

const QUIET = 4; // light modules around a QR code

export function QrCode({ value, label }: { value: string; label: string }) {
  const [rows, setRows] = useState<string[]>([]);
  useEffect(() => {
    post("qr", value).then(async (answer) => answer.ok &&
      setRows((await answer.text()).trim().split("\n"))).catch(() => setRows([]));
  }, [value]);
  if (rows.length === 0) return null;
  const size = rows.length + 2 * QUIET;
  const path = rows.flatMap((row, y) => [...row].map((dark, x) =>
    dark === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}
