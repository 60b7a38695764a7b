// How the model reads the question: its tokens, the windows it is cut into, and who looks at whom.

import { get, Latest } from "./api.js";
import { at, cut, el, plural, show } from "./dom.js";

const MOST = 60; // tokens of a picture that can still be read
const latest = new Latest();
let layer = null; // null: the last one
let head = null;

/** Show a question's tokens and attention. again: called where another layer or head is wanted. */
export async function showTokens(text, again) {
  if (!text) return show(at("tokens"), el("p", { class: "nothing" }, "Ask something, and see how the model reads it."));
  const found = await latest.run(async (signal) => {
    const [read, seen] = await Promise.all([
      get("/tokens", { text }, signal),
      get("/attention", { text: cut([...text], 0, 4096), layer: layer ?? -1, ...(head !== null && { head }) }, signal),
    ]);
    return { read, seen };
  });
  if (!found) return;
  const { read, seen } = found;
  show(at("tokens"),
    el("h2", {}, plural(read.tokens.length, "token")),
    el("p", { class: "where" }, el("span", {}, read.model), el("span", {}, `window of ${read.window}`)),
    el("ol", { class: "pieces" }, read.tokens.map((own) =>
      el("li", { class: own.special ? "special" : null, title: `id ${own.id}` }, own.token))),
    read.windows.length > 1 && el("p", {}, `It is cut into ${plural(read.windows.length, "window")}.`),
    el("h2", {}, "Attention"),
    el("div", { class: "choices" },
      choice("Layer", 1, seen.layers, layer ?? seen.layers, (value) => (layer = value)),
      choice("Head", 0, seen.heads, head, (value) => (head = value), "mean of all")),
    picture(seen));

  function choice(name, first, count, chosen, take, all) {
    const options = Array.from({ length: count }, (_, n) =>
      el("option", { value: first + n, selected: first + n === chosen }, String(first + n)));
    if (all) options.unshift(el("option", { value: "", selected: chosen === null }, all));
    const changed = (event) => {
      take(event.target.value === "" ? null : Number(event.target.value));
      again().then(() => at("tokens").querySelector(`[data-choice="${name}"]`)?.focus());
    };
    return el("label", {}, `${name} `, el("select", { "data-choice": name, onchange: changed }, options));
  }
}

/** A row for each token: the darker, the more it looks at that column's. As a table, it can be read aloud too. */
function picture(seen) {
  const shown = seen.tokens.slice(0, MOST);
  const most = Math.max(...seen.weights.flat()) || 1;
  const rows = shown.map((own, i) =>
    el("tr", {}, el("th", { scope: "row" }, own.token), shown.map((other, j) => {
      const weight = seen.weights[i][j];
      const cell = el("td", { title: `${own.token} → ${other.token}: ${weight.toFixed(2)}` },
        el("span", { class: "hidden" }, weight.toFixed(2)));
      cell.style.setProperty("--weight", (weight / most).toFixed(3));
      return cell;
    })));
  const rest = seen.tokens.length > MOST ? ` The first ${MOST} of ${seen.tokens.length} tokens.` : "";
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Attention as a table" },
    el("table", { class: "heat" },
      el("caption", {}, `Each row is what its token looks at: the darker, the more.${rest}`),
      el("thead", {}, el("tr", {}, el("td", {}), shown.map((own) => el("th", { scope: "col" }, el("span", {}, own.token))))),
      el("tbody", {}, rows)));
}
