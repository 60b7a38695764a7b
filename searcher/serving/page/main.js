// The page: a state, the requests that it needs, and what people do that changes it.

import { get, keepToken, Latest, post } from "./api.js";
import { letAdd } from "./adding.js";
import { at, el, number, plural, show } from "./dom.js";
import { showFacets } from "./filters.js";
import { choose, showAnswer, showHits } from "./hits.js";
import { listen } from "./keys.js";
import { showMap } from "./map.js";
import { hidePreview, showPreview } from "./preview.js";
import { address, filter, FIRST, read, TABS } from "./state.js";
import { showTokens } from "./tokens.js";

const PAUSE = 170; // milliseconds without a key after which is asked
const AGAIN = 3000; // after which a server that did not answer is asked again
const LOOKED_AT = 10; // hits whose answering sentences are looked for
const WIDE = matchMedia("(min-width: 70rem)");
const searching = new Latest(), answering = new Latest(), marking = new Latest();

let state = read();
let hits = [];
let index = { documents: 0, passages: 0 };
let working = 0; // requests under way
let timer = null;

// -- what is shown

/** Ask for what the state says, and show it. */
async function ask() {
  clearTimeout(timer);
  const body = { query: state.q, k: state.k, mode: state.mode, ...(filter(state) && { where: filter(state) }) };
  if (state.tab === "tokens") tokens();
  if (state.tab === "map") shown(() => showMap(state.q.trim() && { ...body, k: FIRST }, (point) => {
    turn("passages");
    open(hits.find((hit) => hit.passage_id === point.passage_id) ?? { ...point, metadata: {} }, true);
  }));
  if (!state.q.trim()) return empty();
  await shown(() => find(body));
}

const tokens = () => shown(() => showTokens(state.q.trim(), tokens));

async function find(wanted) {
  const body = { ...wanted, stands: true };
  const found = await searching.run((signal) => post("/search", body, signal));
  if (!found) return;
  hits = found.hits;
  list();
  told(hits.length);
  marking.run((signal) => post("/search", { ...body, k: Math.min(body.k, LOOKED_AT), highlight: true }, signal))
    .then(mark, () => null); // without the marks everything is there too
  const answer = await answering.run((signal) => get("/answer", { q: body.query }, signal));
  if (answer) showAnswer(answer);
}

function list() {
  showHits(hits, state.hit, open);
  at("more").hidden = hits.length < state.k || state.k >= 200;
  const chosen = hits.find((hit) => hit.passage_id === state.hit);
  if (chosen) shown(() => showPreview(chosen, close));
  else if (state.hit !== null) close();
}

function mark(found) {
  if (!found) return;
  const sentences = new Map(found.hits.map(({ passage_id, highlight, stands }) => [passage_id, { highlight, stands }]));
  hits = hits.map((hit) => ({ ...hit, ...sentences.get(hit.passage_id) }));
  list();
}

function told(count) {
  at("count").textContent = count === state.k ? `the best ${plural(count, "passage")}` : count ? plural(count, "passage") : "no passages";
  const narrowed = state.picked.length > 0 || state.where.trim() !== "";
  show(at("nothing"), count === 0 && el("p", {}, narrowed ? "No passage passes these filters." : "Nothing was found."),
    count === 0 && narrowed && el("button", { type: "button", onclick: () => change({ picked: [], where: "" }) }, "Remove the filters"));
}

function empty() {
  for (const each of [searching, answering, marking]) each.stop();
  hits = [];
  showHits(hits, null, open);
  showAnswer(null);
  hidePreview();
  at("more").hidden = true;
  at("count").textContent = "";
  problem(null);
  show(at("nothing"), el("p", {}, index.passages
    ? `${plural(index.documents, "document")} in ${plural(index.passages, "passage")}. Ask a question, or type a few words.`
    : "This index is empty. Add documents to it, and ask."));
}

/** Do what needs the server; what goes wrong is shown where it belongs. */
async function shown(work) {
  document.body.classList.toggle("busy", ++working > 0);
  try {
    await work();
    problem(null);
  } catch (fault) {
    problem(fault);
  } finally {
    document.body.classList.toggle("busy", --working > 0);
  }
}

function problem(fault) {
  const filtered = fault?.kind === "FilterError" || fault?.kind === "UnknownName";
  at("wrong").hidden = !filtered;
  at("wrong").textContent = filtered ? fault.message : "";
  at("filter").toggleAttribute("aria-invalid", filtered);
  at("problem").hidden = !fault || filtered;
  at("problem").textContent = fault && !filtered ? (fault.status === 0 ? `${fault.message} Trying again …` : fault.message) : "";
  at("key").hidden = fault?.status !== 401;
  if (fault?.status === 401) at("token").focus();
  clearTimeout(timer);
  if (fault && [0, 429, 503].includes(fault.status)) timer = setTimeout(begin, AGAIN);
}

function facets() {
  return shown(() => showFacets(filter(state), state.picked, (key, value) => {
    const there = state.picked.some(([name, own]) => name === key && own === value);
    const picked = there ? state.picked.filter(([name, own]) => name !== key || own !== value) : [...state.picked, [key, value]];
    change({ picked });
  }));
}

// -- what people do

/** Change the state: the address follows, and what depends on it is asked anew. typed: as a step that needs no "back". */
function change(some, typed = false) {
  const before = state;
  state = { ...state, ...some };
  if ("q" in some || "picked" in some || "where" in some || "mode" in some) Object.assign(state, { hit: null, k: FIRST });
  history[typed ? "replaceState" : "pushState"](null, "", address(state));
  if (filter(state) !== filter(before)) facets();
  ask();
}

function open(hit, wanted) {
  choose(hit.passage_id);
  if (!wanted && (!WIDE.matches || hit.passage_id === state.hit)) return;
  state = { ...state, hit: hit.passage_id };
  history.replaceState(null, "", address(state));
  shown(() => showPreview(hit, close)).then(() => wanted && at("preview").focus({ preventScroll: WIDE.matches }));
}

/** Close the preview. Whether it was open. */
function close() {
  if (state.hit !== null) {
    state = { ...state, hit: null };
    history.replaceState(null, "", address(state));
  }
  return hidePreview();
}

function turn(tab) {
  if (tab !== state.tab) change({ tab });
  tabs();
}

function tabs() {
  for (const name of TABS) {
    const own = name === state.tab;
    at(name).hidden = !own;
    at(`tab-${name}`).setAttribute("aria-selected", String(own));
    at(`tab-${name}`).tabIndex = own ? 0 : -1;
  }
}

/** Show what the state says in the fields. */
function fill() {
  at("question").value = state.q;
  at("filter").value = state.where;
  document.querySelector(`[name=mode][value=${state.mode}]`).checked = true;
  tabs();
}

let pause = null;
at("question").addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => change({ q: at("question").value }, true), at("question").value ? PAUSE : 0);
});
at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  change({ q: at("question").value });
});
at("modes").addEventListener("change", (event) => change({ mode: event.target.value }));
at("where").addEventListener("submit", (event) => event.preventDefault());
at("filter").addEventListener("change", () => change({ where: at("filter").value }));
at("more").addEventListener("click", () => change({ k: state.k + FIRST }, true));
at("key").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(at("token").value);
  at("token").value = "";
  begin();
});
for (const name of TABS) at(`tab-${name}`).addEventListener("click", () => turn(name));
addEventListener("popstate", () => {
  state = read();
  fill();
  facets();
  ask();
});
listen({ turn, close });

/** What the index holds, then what the address asks. */
async function begin() {
  await shown(async () => {
    index = await get("/status", {});
    at("index").textContent = `${number(index.passages ?? 0)} passages`;
    at("index").title = index.model ?? "";
    if (index.server?.writes) letAdd(index.server.most_body, () => { facets(); refresh(); }, problem);
    await facets();
    await ask();
  });
}

async function refresh() {
  index = await get("/status", {}).catch(() => index);
  at("index").textContent = `${number(index.passages ?? 0)} passages`;
  ask();
}

at("filters").open = WIDE.matches;
fill();
begin();
