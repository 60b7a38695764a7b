// Adding files: by a button or by dropping them, one after the other, each with how far it is and what came of it.

import { send } from "./api.js";
import { at, el, plural } from "./dom.js";

let chain = Promise.resolve();

/** Let files be added. most: bytes of one; done: called after each that was; wrong: with a fault that is not the file's. */
export function letAdd(most, done, wrong) {
  if (!at("drop").hidden) return; // it was let already
  at("drop").hidden = false;
  at("choose").onclick = () => at("files").click();
  at("files").onchange = () => {
    take(at("files").files);
    at("files").value = "";
  };
  const drags = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!drags(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    if (!drags(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    const folders = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory);
    take(event.dataTransfer.files, folders);
  });

  function take(files, folders = []) {
    for (const [number, file] of [...files].entries()) {
      const told = el("span", {}, "waits");
      const bar = el("progress", { max: "1", value: "0", "aria-label": `How much of ${file.name} was sent` });
      const item = el("li", {}, el("span", { class: "name", title: file.name }, file.name), bar, told);
      at("added").prepend(item);
      chain = chain.then(() => add(file, folders[number], item, bar, told));
    }
  }

  async function add(file, folder, item, bar, told) {
    const end = (text, kind) => {
      told.textContent = text;
      item.className = kind;
      bar.remove();
    };
    if (folder) return end("is a folder: drop the files in it, or run searcher add with its path", "wrong");
    if (file.size > most) return end(`is longer than ${Math.floor(most / 2 ** 20)} MiB`, "wrong");
    told.textContent = "";
    try {
      const report = await send(file, (share) => {
        bar.value = share;
        if (share === 1) told.textContent = "is being read";
      });
      end(came(report), "right");
      done();
    } catch (fault) {
      end(fault.message, "wrong");
      if (fault.status === 401) wrong(fault);
    }
  }
}

function came(report) {
  const parts = report.unchanged && !report.documents
    ? ["is there already"]
    : [`${plural(report.documents, "document")}, ${plural(report.passages, "passage")}`];
  for (const each of [...(report.failed ?? []), ...(report.skipped ?? []), ...(report.notes ?? [])]) parts.push(each.reason ?? each.text ?? "");
  return parts.filter(Boolean).join("; ");
}
