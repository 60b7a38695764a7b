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
let opened = null; // the hit of the preview; it may be a point of the map, which is none of the list
let index = { documents: 0, passages: 0 };
let entering = false; // whether the preview that comes is to be gone to
let working = 0; // requests under way
let timer = null;
let settled = true; // whether "back" leads to what is asked, once something else is
const faults = new Map(); // by what was wanted, of all that went wrong and was not wanted again

// -- what is shown

/** Ask for what the state says, and show it. */
async function ask() {
  clearTimeout(timer);
  const body = { query: state.q, k: state.k, mode: state.mode, ...(filter(state) && { where: filter(state) }) };
  TABS.filter((name) => name !== state.tab).forEach(forget);
  if (state.tab === "tokens") tokens();
  if (state.tab === "map") shown("map", () => showMap(state.q.trim() && { ...body, k: FIRST }, (point) => {
    turn("passages");
    open(hits.find((hit) => hit.passage_id === point.passage_id) ?? { ...point, metadata: {} }, true);
  }));
  if (!state.q.trim()) return empty();
  await shown("hits", () => find(body));
}

const tokens = () => shown("tokens", () => showTokens(state.q.trim(), tokens));

async function find(wanted) {
  const body = { ...wanted, stands: true };
  const found = await searching.run((signal) => post("/search", body, signal));
  if (!found) return;
  hits = found.hits;
  forget("hits");
  list();
  told(hits.length);
  marking.run((signal) => post("/search", { ...body, k: Math.min(body.k, LOOKED_AT), highlight: true }, signal))
    .then(mark, () => null); // without the marks everything is there too
  try {
    const answer = await answering.run((signal) => post("/answer", { question: body.query }, signal));
    if (answer) showAnswer(answer);
  } catch (fault) {
    showAnswer(null); // that of another question
    throw fault;
  }
}

function list() {
  showHits(hits, state.hit, open);
  at("more").hidden = hits.length < state.k || state.k >= 200;
  const chosen = [...hits, opened].find((hit) => hit?.passage_id === state.hit);
  if (chosen) preview(chosen);
  else close();
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
  forget("hits");
  show(at("nothing"), el("p", {}, index.passages
    ? `${plural(index.documents, "document")} in ${plural(index.passages, "passage")}. Ask a question, or type a few words.`
    : "This index is empty. Add documents to it, and ask."));
}

/** Do what needs the server; what goes wrong is shown where it belongs, until the same is wanted again. */
async function shown(what, work) {
  document.body.classList.toggle("busy", ++working > 0);
  try {
    await work();
    forget(what);
  } catch (fault) {
    faults.set(what, fault);
    problem();
  } finally {
    document.body.classList.toggle("busy", --working > 0);
  }
}

function forget(what) {
  if (faults.delete(what)) problem();
}

function problem() {
  const all = [...faults.values()];
  const filtered = (fault) => fault.kind === "FilterError" || fault.kind === "UnknownName";
  const [wrong, other] = [all.find(filtered), all.find((fault) => !filtered(fault))];
  const told = other && (other.status === 0 ? `${other.message} Trying again …` : other.message);
  write("wrong", wrong?.message);
  at("filter").setAttribute("aria-invalid", String(Boolean(wrong)));
  if (wrong) at("filters").open = true;
  write("problem", told);
  const locked = all.some((fault) => fault.status === 401);
  if (locked && at("key").hidden) setTimeout(() => at("token").focus());
  at("key").hidden = !locked;
  clearTimeout(timer);
  if (all.some((fault) => [0, 429, 503].includes(fault.status))) timer = setTimeout(begin, AGAIN);
}

function write(place, text) {
  at(place).hidden = !text;
  at(place).textContent = text ?? "";
}

function facets() {
  return shown("facets", () => showFacets(filter(state), state.picked, (key, value) => {
    const there = state.picked.some(([name, own]) => name === key && own === value);
    const picked = there ? state.picked.filter(([name, own]) => name !== key || own !== value) : [...state.picked, [key, value]];
    change({ picked });
  }));
}

// -- what people do

/**
 * Change the state: the address follows, and what depends on it is asked anew. how: "step", to which "back" leads;
 * "typed", a step only where what it follows was settled; "more", none.
 */
function change(some, how = "step") {
  const before = state;
  state = { ...state, ...some };
  if ("q" in some || "picked" in some || "where" in some || "mode" in some) Object.assign(state, { hit: null, k: FIRST });
  const other = address({ ...state, hit: null }) !== address({ ...before, hit: null });
  const step = other && (how === "step" || (how === "typed" && settled && before.q !== ""));
  settled = how === "more" ? settled : how === "step";
  history[step ? "pushState" : "replaceState"](null, "", address(state));
  if (filter(state) !== filter(before)) facets();
  ask();
}

function open(hit, wanted) {
  choose(hit.passage_id);
  if (!wanted && (!WIDE.matches || hit.passage_id === state.hit)) return;
  opened = hit;
  state = { ...state, hit: hit.passage_id };
  history.replaceState(null, "", address(state));
  entering = wanted;
  preview(hit);
}

/** Show the preview; whoever opened it goes there once it is shown, which may be by a later request. */
async function preview(hit) {
  await shown("preview", () => showPreview(hit, close));
  if (!entering || at("preview").hidden) return;
  entering = false;
  at("preview").focus({ preventScroll: WIDE.matches });
}

/** Close the preview. Whether it was open. */
function close() {
  if (state.hit !== null) {
    state = { ...state, hit: null };
    history.replaceState(null, "", address(state));
  }
  entering = false;
  forget("preview");
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
  pause = setTimeout(() => change({ q: at("question").value }, "typed"), at("question").value ? PAUSE : 0);
});
at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  change({ q: at("question").value });
});
at("modes").addEventListener("change", (event) => change({ mode: event.target.value }));
at("where").addEventListener("submit", (event) => event.preventDefault());
at("filter").addEventListener("change", () => change({ where: at("filter").value }));
at("more").addEventListener("click", () => change({ k: state.k + FIRST }, "more"));
at("key").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(at("token").value);
  at("token").value = "";
  begin();
});
for (const name of TABS) at(`tab-${name}`).addEventListener("click", () => turn(name));
addEventListener("popstate", () => {
  clearTimeout(pause);
  settled = true;
  state = read();
  fill();
  facets();
  ask();
});
listen({ turn, close });

/** What the index holds, then what the address asks. */
async function begin() {
  await shown("status", async () => {
    index = await get("/status", {});
    at("index").textContent = `${number(index.passages ?? 0)} passages`;
    at("index").title = index.model ?? "";
    if (index.server?.writes) letAdd(index.server.most_body, () => { facets(); refresh(); }, (fault) => shown("status", () => { throw fault; }));
  });
  if (faults.has("status")) return;
  await facets();
  await ask();
}

async function refresh() {
  index = await get("/status", {}).catch(() => index);
  at("index").textContent = `${number(index.passages ?? 0)} passages`;
  ask();
}

at("filters").open = WIDE.matches;
fill();
begin();
