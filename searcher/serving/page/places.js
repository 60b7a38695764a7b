// What a passage is called; paths are shortened, for they are long and all begin alike.

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
