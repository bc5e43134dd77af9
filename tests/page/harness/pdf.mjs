// SPDX-License-Identifier: MPL-2.0
// PDF files made here: of as many pages as there are texts, and of whatever is put beside.

// `extra`: more objects, as text or bytes; `catalog`, `resources` go into those dictionaries.
export function pdf(texts, { catalog = "", resources = "", draw = () => "", extra = [] } = {}) {
  const objects = [];
  const pages = texts.map((_, page) => 4 + 2 * page);
  objects[1] = `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`;
  objects[2] = `<< /Type /Pages /Count ${texts.length} /Kids [${pages.map((n) => `${n} 0 R`).join(" ")}] >>`;
  objects[3] = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
  texts.forEach((text, page) => {
    const drawn = `BT /F1 24 Tf 60 740 Td (${text.replace(/[\\()]/g, "\\$&")}) Tj ET\n${draw(page)}`;
    objects[pages[page]] = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]
      /Resources << /Font << /F1 3 0 R >> ${resources} >> /Contents ${pages[page] + 1} 0 R >>`;
    objects[pages[page] + 1] = stream("", Buffer.from(drawn, "latin1"));
  });
  objects.push(...extra);
  const parts = [Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "latin1")];
  const offsets = [];
  let length = parts[0].length;
  for (let number = 1; number < objects.length; number++) {
    offsets[number] = length;
    const part = Buffer.concat([Buffer.from(`${number} 0 obj\n`), Buffer.from(objects[number], "latin1"),
      Buffer.from("\nendobj\n")]);
    parts.push(part);
    length += part.length;
  }
  const table = offsets.slice(1).map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  parts.push(Buffer.from(`xref\n0 ${objects.length}\n0000000000 65535 f \n${table}` +
    `trailer << /Size ${objects.length} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`));
  return Buffer.concat(parts);
}

export const stream = (dictionary, bytes) => Buffer.concat([
  Buffer.from(`<< ${dictionary} /Length ${bytes.length} >>\nstream\n`), bytes,
  Buffer.from("\nendstream")]);
