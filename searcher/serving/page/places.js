// Where a passage stands, as people say it; paths are shortened, for they are long and all begin alike.

const SAID = {
  page: (value) => `page ${value}`, label: (value) => `printed ${value}`, slide: (value) => `slide ${value}`,
  notes: () => "notes", sheet: (value) => `sheet ${value}`, row: (value) => `row ${value}`,
  cell: (value) => `cell ${value}`, name: (value) => value, time: (value) => `at ${value}`,
  chapter: (value) => value, message: (value) => `message ${value}`,
};

/** "page 3", "slide 2, notes", "line 12". */
export function said(hit) {
  const place = hit.highlight?.place ?? hit.place ?? {};
  const parts = Object.keys(SAID).filter((name) => place[name] !== undefined && place[name] !== null && place[name] !== false);
  if (parts.length && !("name" in place)) return parts.map((name) => SAID[name](place[name])).join(", ");
  return /\.\w+#(?!part-\d+$)/.test(hit.source) ? "" : `line ${hit.highlight?.line ?? hit.line}`;
}

/** The end of a path: the name of the file and that of its folder. */
export function label(source) {
  const parts = source.split(/[\\/]/);
  return parts.length > 2 ? `… ${parts.slice(-2).join("/")}` : source;
}

/** What a passage is called: its document's title, else the name of the file. */
export const title = (hit) => hit.title || hit.source.split(/[\\/]/).at(-1);

/** The part of the headings above it that is not the title again. */
export function section(hit) {
  if (!hit.section) return "";
  const parts = hit.section.split(" > ");
  return (parts[0] === hit.title ? parts.slice(1) : parts).join(" › ");
}
