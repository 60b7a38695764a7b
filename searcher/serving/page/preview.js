// The preview: a passage within its surroundings in the document, beside the list.

import { get, Latest, Problem } from "./api.js";
import { at, cut, el, show } from "./dom.js";
import { sentence } from "./hits.js";
import { label, section, title } from "./places.js";

const AROUND = 1500; // characters before and after
const latest = new Latest();

/** Show a hit. close: what its button does. */
export async function showPreview(hit, close) {
  const found = await latest.run((signal) =>
    get("/documents/around", { source: hit.source, start: hit.start, end: hit.end, characters: AROUND }, signal));
  if (!found) return;
  if (!found.text.startsWith(hit.text)) throw new Problem("This document has changed since it was found. Ask again.", 409);
  const points = [...found.text];
  const [from, to] = sentence(hit);
  const inside = from === null
    ? [found.text]
    : [cut(points, 0, from), el("mark", {}, cut(points, from, to)), cut(points, to, points.length)];
  const passage = el("span", { class: "passage" }, inside);
  show(at("preview"),
    el("div", { class: "head" },
      el("h2", {}, title(hit)),
      el("button", { type: "button", class: "quiet", "aria-label": "Close the preview", onclick: close }, "✕")),
    el("p", { class: "where" }, [label(hit.source), hit.stands, section(hit)].filter(Boolean).map((part) => el("span", {}, part))),
    el("div", { class: "around", tabindex: "0", role: "group", "aria-label": "The passage in its document" },
      found.more_before && "… ", found.before, passage, found.after, found.more_after && " …"),
    typeof hit.metadata?.answer === "string" && el("p", { class: "told" }, hit.metadata.answer),
    facts(hit));
  const around = at("preview").querySelector(".around");
  around.scrollTop = Math.max(0, passage.offsetTop - around.offsetTop - 60);
}

function facts(hit) {
  const told = Object.entries(hit.metadata ?? {}).filter(([key, value]) => key !== "answer" && value !== null);
  return el("dl", { class: "facts" },
    el("dt", {}, "from"), el("dd", {}, hit.source),
    hit.id !== null && [el("dt", {}, "id"), el("dd", {}, hit.id)],
    told.map(([key, value]) => [el("dt", {}, key), el("dd", {}, typeof value === "string" ? value : JSON.stringify(value))]));
}

/** Close it. Whether it was open. */
export function hidePreview() {
  latest.stop();
  const open = !at("preview").hidden;
  show(at("preview"));
  return open;
}
