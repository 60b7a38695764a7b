// What is asked, as the address holds it: whoever opens the address sees the same.

export const MODES = ["dense", "keyword", "hybrid"];
export const TABS = ["passages", "tokens", "map"];
export const FIRST = 10; // passages that are shown at first, and each time more are wanted
const MOST = 200;

/** q: the question; where: a filter as written; picked: [key, value] of the metadata; hit: id of the passage that is open. */
export function read(address = location.search) {
  const given = new URLSearchParams(address);
  const known = (name, values) => (values.includes(given.get(name)) ? given.get(name) : values[0]);
  return {
    q: given.get("q") ?? "",
    mode: known("mode", MODES),
    tab: known("tab", TABS),
    where: given.get("where") ?? "",
    picked: given.getAll("is").map(pair).filter(Boolean),
    k: Math.min(Math.max(Number.parseInt(given.get("k"), 10) || FIRST, 1), MOST),
    hit: Number.parseInt(given.get("hit"), 10) || null,
  };
}

function pair(text) {
  try {
    const [key, value] = JSON.parse(text);
    return typeof key === "string" && ["string", "number", "boolean"].includes(typeof value) ? [key, value] : null;
  } catch {
    return null;
  }
}

/** The address of a state; what is as always is left out. */
export function address(state) {
  const told = new URLSearchParams();
  if (state.q) told.set("q", state.q);
  if (state.mode !== MODES[0]) told.set("mode", state.mode);
  if (state.tab !== TABS[0]) told.set("tab", state.tab);
  if (state.where) told.set("where", state.where);
  for (const each of state.picked) told.append("is", JSON.stringify(each));
  if (state.k !== FIRST) told.set("k", state.k);
  if (state.hit !== null) told.set("hit", state.hit);
  const text = told.toString();
  return text ? `?${text}` : location.pathname;
}

/** The filter of a state in the language of `where`: values of one key are "or", keys are "and". "" for none. */
export function filter(state) {
  const keys = new Map();
  for (const [key, value] of state.picked) keys.set(key, [...(keys.get(key) ?? []), value]);
  const picked = [...keys].map(([key, values]) => `(${values.map((value) => `${quoted(key)} = ${literal(value)}`).join(" or ")})`);
  const written = state.where.trim();
  return picked.length === 0 ? written : [written && `(${written})`, ...picked].filter(Boolean).join(" and ");
}

const quoted = (key) => `metadata."${key.replaceAll('"', '""')}"`;
const literal = (value) => (typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value));
