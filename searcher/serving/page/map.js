// The map: the hits among the passages that come after them, where their vectors lie in the plane.

import { Latest, post } from "./api.js";
import { at, cut, el, show, svg } from "./dom.js";
import { label, title } from "./places.js";

const WIDTH = 720, HEIGHT = 480, MARGIN = 40;
const latest = new Latest();

/** Show the map of a search. open: called with the hit of a point that was clicked. */
export async function showMap(body, open) {
  if (!body) return show(at("map"), el("p", { class: "nothing" }, "Ask something, and see where its passages lie."));
  const found = await latest.run((signal) => post("/map", { ...body, neighbours: 60 }, signal));
  if (!found) return;
  if (!found.points.length) return show(at("map"), el("p", { class: "nothing" }, "Nothing to show."));
  const told = el("p", { class: "point", "aria-live": "polite" }, "Point at a passage to read it.");
  const say = (point) => told.replaceChildren(
    el("strong", {}, `${point.rank}. ${title(point)}`), ` ${label(point.source)} — ${point.text}`);
  const points = found.points.toReversed().map((point) => dot(point, say, open));
  show(at("map"),
    el("div", { class: "scroll" },
      svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "Passages around the question" },
        points, found.question && question(found.question))),
    told,
    el("p", { class: "legend" },
      el("span", { class: "is-hit" }, "passages found"), el("span", { class: "is-near" }, "those that come after"),
      found.question && el("span", { class: "is-question" }, "the question")),
    el("p", { class: "where" }, `The plane shows ${Math.round(found.spread * 100)} % of how they differ.`));
}

const x = (value) => MARGIN + ((value + 1) / 2) * (WIDTH - 2 * MARGIN);
const y = (value) => HEIGHT - MARGIN - ((value + 1) / 2) * (HEIGHT - 2 * MARGIN);

function dot(point, say, open) {
  const tell = () => say(point);
  const keys = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open(point);
  };
  const number = point.hit && svg("text", { x: x(point.x), y: y(point.y), dy: "0.35em", "aria-hidden": "true" }, String(point.rank));
  return svg("g", {
    class: point.hit ? "dot hit-dot" : "dot", role: "button", tabindex: point.hit ? "0" : "-1",
    "aria-label": `${point.rank}. ${title(point)}: ${cut([...point.text], 0, 80)}`,
    onclick: () => open(point), onkeydown: keys, onfocus: tell, onpointerenter: tell,
  }, svg("circle", { cx: x(point.x), cy: y(point.y), r: point.hit ? 11 : 5 }), number);
}

function question(point) {
  const [a, b] = [x(point.x), y(point.y)];
  return svg("g", { class: "asked", role: "img", "aria-label": "the question" },
    svg("path", { d: `M${a - 9} ${b}h18M${a} ${b - 9}v18` }));
}
