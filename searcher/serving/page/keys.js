// Keys: the whole page without a mouse.

import { at } from "./dom.js";
import { back, move } from "./hits.js";
import { TABS } from "./state.js";

const typing = () => document.activeElement?.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");

/** Listen for keys. turn(tab): show a view; close(): close the preview, and say whether it was open. */
export function listen({ turn, close }) {
  const acts = {
    "/": () => !typing() && to(at("question")),
    "?": () => !typing() && open(at("keys")),
    ArrowDown: () => (listed() || document.activeElement === at("question")) && move(1),
    ArrowUp: () => listed() && (move(-1) || to(at("question"))),
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
    Escape: () => leave(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || at("keys").open) return;
    if (acts[event.key]?.()) event.preventDefault();
  });
  at("help").addEventListener("click", () => open(at("keys")));

  function beside(step) {
    if (!document.activeElement?.matches("[role=tab]")) return false;
    const there = TABS.at((TABS.indexOf(document.activeElement.id.slice(4)) + step) % TABS.length);
    turn(there);
    return to(at(`tab-${there}`));
  }

  function leave() {
    const box = at("question");
    if (close()) back();
    else if (document.activeElement === box && box.value) {
      box.value = "";
      box.dispatchEvent(new Event("input"));
    } else to(box);
    return true;
  }
}

const listed = () => at("hits").contains(document.activeElement);

function open(dialog) {
  dialog.showModal();
  return true;
}

function to(element) {
  element.focus();
  element.select?.();
  return true;
}
