// Elements: made of text alone, so nothing that an index holds is ever taken for markup.

export const at = (id) => document.getElementById(id);

/** An element with its attributes (or properties that begin with "on") and its children: elements, texts, nothing. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same within a drawing. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Show what there is in an element, or hide it where that is nothing. */
export function show(element, ...children) {
  const there = children.flat(Infinity).filter(Boolean);
  element.replaceChildren(...there);
  element.hidden = there.length === 0;
}

/** A part of a text by code points, which is how the server counts; a string counts an emoji twice. */
export function cut(points, start, end) {
  return points.slice(Math.max(0, start), Math.max(0, end)).join("");
}

export const number = (value) => value.toLocaleString("en");

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
