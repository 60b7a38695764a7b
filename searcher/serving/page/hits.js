// The list of passages: what is shown of each, which one is chosen, and the keys that lead through them.

import { at, cut, el, show } from "./dom.js";
import { label, section, title } from "./places.js";

const SHOWN = 420; // characters of a passage, around the sentence that answers
const BEFORE = 140;
const LONGEST = 30; // characters of a word that is not cut
let silent = false; // while focus comes back to a passage that nobody asked for anew

/** A text with a part of it marked, both by code points; of a long one the surroundings of that part. */
export function marked(text, from, to, most = Infinity) {
  const points = [...text];
  const none = from === null || to <= from;
  const first = points.length <= most || none ? 0 : Math.max(0, Math.min(from - BEFORE, points.length - most));
  const last = Math.min(points.length, Math.max(first + most, none ? 0 : to));
  const start = first && spaced(points, first, 1, from);
  const end = last < points.length ? spaced(points, last, -1, none ? 0 : to) : last;
  return [
    start > 0 && "… ",
    cut(points, start, none ? end : from),
    !none && el("mark", {}, cut(points, from, to)),
    !none && cut(points, to, end),
    end < points.length && " …",
  ].filter(Boolean);
}

/** The nearest place in a direction, up to a limit, that is in no word; the place itself where words have no spaces. */
function spaced(points, place, step, limit) {
  for (let at = place; step * (limit - at) >= 0 && Math.abs(at - place) < LONGEST; at += step) {
    if (/\s/.test(points[step > 0 ? at - 1 : at])) return at;
  }
  return place;
}

/** Where the sentence that answers stands in the text of its hit. */
export function sentence(hit) {
  return hit.highlight ? [hit.highlight.start - hit.start, hit.highlight.end - hit.start] : [null, null];
}

function row(hit, chosen, open) {
  const answer = typeof hit.metadata?.answer === "string" ? hit.metadata.answer : null;
  const name = title(hit);
  const from = label(hit.source);
  return el("li", {},
    el("button", {
      type: "button", class: "hit", "data-passage": hit.passage_id, tabindex: chosen ? "0" : "-1",
      "aria-current": chosen ? "true" : null, onclick: () => open(hit, true), onfocus: () => silent || open(hit, false),
    },
    el("span", { class: "head" },
      el("span", { class: "title" }, name),
      el("span", { class: "score", title: "the score" }, hit.score.toFixed(2))),
    el("span", { class: "where", title: hit.source },
      [from === name ? "" : from, hit.stands, section(hit)].filter(Boolean).map((part) => el("span", {}, part))),
    el("span", { class: "text" }, marked(hit.text, ...sentence(hit), SHOWN)),
    answer && el("span", { class: "text told" }, answer)));
}

/** Show hits. chosen: the passage that is open; open(hit, wanted): a hit was reached, wanted where it was asked for. */
export function showHits(hits, chosen, open) {
  const list = at("hits");
  const focused = list.contains(document.activeElement) ? Number(document.activeElement.dataset.passage) : null;
  const first = hits.some((hit) => hit.passage_id === chosen) ? chosen : hits[0]?.passage_id;
  list.replaceChildren(...hits.map((hit) => row(hit, hit.passage_id === first, open)));
  if (focused !== null) focus(`[data-passage="${focused}"]`);
}

function focus(selector) {
  silent = true;
  at("hits").querySelector(selector)?.focus();
  silent = false;
}

/** Let one passage be the chosen one. */
export function choose(passage) {
  for (const each of at("hits").querySelectorAll(".hit")) {
    const own = Number(each.dataset.passage) === passage;
    each.tabIndex = own ? 0 : -1;
    own ? each.setAttribute("aria-current", "true") : each.removeAttribute("aria-current");
  }
}

/** Go on to the passage so many further, to the first one from elsewhere. Whether there is one. */
export function move(step) {
  const all = [...at("hits").querySelectorAll(".hit")];
  const here = all.indexOf(document.activeElement);
  const there = all[here < 0 ? (step > 0 ? 0 : -1) : here + step];
  there?.focus();
  there?.scrollIntoView({ block: "nearest" });
  return Boolean(there);
}

/** Back to the passage that was left. */
export const back = () => focus('[tabindex="0"]');

/** The answer of a FAQ entry above all passages, where there is one. */
export function showAnswer(found) {
  if (!found?.answer) return show(at("answer"));
  const sure = found.probability === null ? `fits ${found.score.toFixed(2)}` : `right with probability ${found.probability.toFixed(2)}`;
  show(at("answer"),
    el("h2", {}, found.question),
    el("p", { class: "told" }, found.answer),
    el("p", { class: "where", title: found.source }, el("span", {}, label(found.source)), el("span", {}, sure)));
}
