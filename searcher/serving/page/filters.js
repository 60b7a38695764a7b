// Filters: what the metadata offer, with counts; several values of a key are "or", keys are "and".

import { get, Latest } from "./api.js";
import { at, el, number } from "./dom.js";

const VALUES = 6; // of a key
const KEYS = 10;
const latest = new Latest();
const exact = ({ value }) => !Number.isInteger(value) || Number.isSafeInteger(value); // a larger one is another number here
const text = (value) => (value === "" ? "(empty)" : String(value));

/** Offer the values of the documents that a filter allows. picked: those that are chosen; pick(key, value): one is. */
export async function showFacets(where, picked, pick) {
  const found = await latest.run((signal) => get("/facets", { most: VALUES, ...(where ? { where } : {}) }, signal));
  if (!found) return;
  const facets = found.facets.map((own) => ({ ...own, values: own.values.filter(exact) }));
  for (const [key] of picked) if (!facets.some((own) => own.key === key)) facets.unshift({ key, values: [], more: 0 });
  const left = at("facets").contains(document.activeElement) ? document.activeElement.dataset.pick : null;
  at("facets").replaceChildren(...facets.filter((own) => useful(own, picked)).slice(0, KEYS).map((own) => facet(own, picked, pick)));
  if (left) [...at("facets").querySelectorAll("[data-pick]")].find((box) => box.dataset.pick === left)?.focus();
}

/** Whether choosing among the values of a key makes groups: not where most documents have one of their own. */
function useful({ key, values, more }, picked) {
  if (picked.some(([name]) => name === key)) return true;
  const sum = (some) => some.reduce((count, each) => count + each.documents, 0);
  const grouped = sum(values.filter((each) => each.documents > 1));
  if (key === "answer" || (grouped === 0 && picked.length === 0)) return false;
  return values.length > 0 && (more === 0 || 2 * grouped >= sum(values) + more);
}

function facet({ key, values, more }, picked, pick) {
  const own = picked.filter(([name]) => name === key).map(([, value]) => value);
  const gone = own.filter((value) => !values.some((each) => each.value === value)).map((value) => ({ value, documents: 0 }));
  const groups = more > 0 ? values.filter((each) => each.documents > 1 || own.includes(each.value)) : values;
  const items = [...gone, ...groups].map(({ value, documents }) =>
    el("li", {},
      el("label", { title: text(value) },
        el("input", {
          type: "checkbox", checked: own.includes(value), "data-pick": JSON.stringify([key, value]), onchange: () => pick(key, value),
        }),
        el("span", { class: "value" }, text(value)),
        el("span", { class: "many" }, number(documents)))));
  return el("fieldset", { class: "facet" },
    el("legend", {}, key),
    el("ul", {}, items),
    more > 0 && el("p", { class: "rest" }, `${number(more + values.length - groups.length)} others`));
}
